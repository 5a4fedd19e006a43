package reactor

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/eddyio/eddy/internal/logqueue"
	"github.com/eddyio/eddy/reactor/core"
)

// A Loop runs tasks on one thread: that of the goroutine that calls [Run],
// which is locked to it until Run returns. [LoopOf] returns the loop of a ctx.
type Loop struct {
	core       core.Loop
	log        *slog.Logger
	logs       logqueue.Queue
	onError    func(Report)
	onBlocked  func(Report)
	threads    threads // of ToThread
	maxThreads int     // most that may be busy
	signals    map[*signalHandler]struct{}
	generators []*generator        // begun and not ended
	watchers   [2]map[int]*watcher // of AddReader and AddWriter, by fd
}

// newLoop makes a loop on the calling goroutine's thread.
func newLoop(ctx context.Context, o Options) (*Loop, error) {
	l := &Loop{log: o.Logger, onError: o.OnError, onBlocked: o.OnBlocked, maxThreads: o.MaxThreads}
	if l.log == nil {
		l.log = slog.Default()
	}
	if l.maxThreads <= 0 {
		l.maxThreads = 256
	}
	err := l.core.Begin(ctx, (*coreFacade)(l), core.Config{
		Clock: o.Clock, Poller: o.Poller, Sockets: o.Sockets, Simulation: o.Simulation,
		Grace: o.Grace, SlowStep: o.SlowStep, Blocked: o.blockedAfter(), Debug: o.Debug, Record: o.recordBytes(),
		TaskLabels: o.TaskLabels || os.Getenv("EDDYTASKLABELS") == "1",
	})
	if err != nil {
		return nil, err
	}
	l.log = l.Logger(l.log)
	return l, nil
}

// coreFacade implements core's interface to a Loop.
type coreFacade Loop

func (f *coreFacade) Report(r core.Report) {
	(*Loop)(f).report(Report{ReportKind(r.Kind), r.What, r.Task, r.Err, r.Stack})
}

func (f *coreFacade) Blocked(b core.Blockage) { (*Loop)(f).reportBlocked(b) }

func (f *coreFacade) Last() bool { return (*Loop)(f).closeGenerators() }

func (f *coreFacade) Cancelled(cause error) error { return &CancelError{cause} }

func (f *coreFacade) Panicked(task string, value any, stack []byte) error {
	return &PanicError{task, value, stack}
}

func (f *coreFacade) Deadlocked(waiting []string) error { return &DeadlockError{waiting} }

func (f *coreFacade) Classify(err error) (core.ErrorKind, error) {
	switch e := err.(type) {
	case *CancelError:
		return core.CancelledError, e.Cause
	case *PanicError:
		return core.PanickedError, nil
	case *TimeoutError:
		return core.TimeoutError, nil
	}
	return core.OtherError, nil
}

// Facade returns the Loop of a core.Loop, for authors of socket types.
func Facade(l *core.Loop) *Loop { return (*Loop)(l.Facade().(*coreFacade)) }

// Core returns the core.Loop of a Loop, for authors of socket types.
func (l *Loop) Core() *core.Loop { return &l.core }

// LoopOf returns the loop that ctx belongs to, or nil if ctx is neither a
// task's nor derived from one. It has no effect on the loop, and may be called
// from anywhere. If goroutines wake tasks by Post, use [Loop.Hold] too.
func LoopOf(ctx context.Context) *Loop {
	s := core.Nearest(ctx)
	if s == nil {
		return nil
	}
	return Facade(s.Loop())
}

// Time returns the loop's time, which its timers use. It starts near zero and
// never goes backwards. It may be called from anywhere, if the Clock may.
func (l *Loop) Time() time.Duration { return time.Duration(l.core.Now()) }

// ErrLoopClosed is returned by operations on a loop that has ended.
var ErrLoopClosed = errors.New("reactor: the loop has ended: its Run has returned")

// Post makes the loop call f, like [Loop.CallSoon]. It may be called from any
// goroutine, at any time. It never blocks, and keeps the order of calls from
// one goroutine. The error is [ErrLoopClosed] if the loop has ended; then f is
// never called. If the error is nil, f is called, unless the loop ends first.
// (asyncio's call_soon_threadsafe.)
func (l *Loop) Post(f func()) error {
	if f == nil {
		return errors.New("reactor: Post of a nil function")
	}
	if err := l.core.RefuseOutside("Loop.Post"); err != nil {
		return err
	}
	if !l.core.PostSoon(f) {
		return ErrLoopClosed
	}
	return nil
}

// Hold keeps the loop from reporting a deadlock until release is called. Use it
// if a goroutine that the loop does not know, started by a go statement or a
// library, will wake one of its tasks by [Loop.Post]. Call Hold before that
// goroutine starts, and release after its last Post:
//
//	release := reactor.LoopOf(ctx).Hold()
//	go func() {
//		defer release()
//		v := compute()
//		loop.Post(func() { answer.SetResult(v) })
//	}()
//
// A loop that is held still ends when main returns. ToThread, Receive,
// submitted tasks, and waiting for a file descriptor, a timer or a signal need
// no Hold. Any number of Holds may be in force. Hold and release may be called
// from any goroutine; calling release again does nothing. (Boost.Asio's
// executor_work_guard.)
func (l *Loop) Hold() (release func()) { return l.core.Hold() }

// Stop makes Guest.Run return when the tasks and callbacks that are ready now
// have run. If Guest.Run is not running, the next one returns after one turn.
// Stop may be called where CallSoon may, and does nothing to a loop in [Run].
func (l *Loop) Stop() {
	l.core.OnLoop("Loop.Stop")
	l.core.Stop()
}
