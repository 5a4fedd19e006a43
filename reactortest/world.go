package reactortest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/timerwheel"
)

// A world is a virtual clock, a queue of what is to come, and the sockets: the
// loop's clock, its poller and its socket calls.
//
// Time stands still while anything runs. When every task waits, and nothing is
// under way outside, it jumps to whatever comes first: the loop's next timer, or
// the next event in the queue.
//
// Invariants: what is to come is never before now; sockets with news stand in
// news exactly once, in the order in which the news came.
type world struct {
	now     atomic.Int64
	coming  timerwheel.Wheel[func()]
	outside func() (underWay int, possible bool)
	wakeup  chan struct{} // holds one: a wake that no Wait has seen
	clock   Clock
	limit   int64 // how long the world stands; 0: for ever

	strict  bool
	shuffle bool
	dice    choices // of the network
	order   choices // of the tasks
	dealt   uint64  // how many dice the program was given
	trace   Trace
	turns   int // since time moved
	ran     uint64
	refusals
	steps   atomic.Uint64 // events so far, for those who watch
	running atomic.Uint64 // who runs, by number; 0: no task
	failure error

	files  []*socket // by fd, less firstFD
	free   []int
	sockID uint64
	news   []*socket
	batch  []eddy.Event

	network Network
}

// epoch is what the time of day is when a virtual clock starts.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// maxTurns is how many turns the loop may take at one moment. Tasks that yield
// until something comes would never see it come: time moves when all wait.
var maxTurns = 1_000_000

// program returns new dice for the program.
func (w *world) program() *rand.Rand {
	w.dealt++
	return rand.New(rand.NewPCG(w.trace.Seed, streamProgram+w.dealt))
}

func newWorld(dice, order choices) *world {
	w := &world{wakeup: make(chan struct{}, 1), dice: dice, order: order}
	w.refusing = make(chan struct{})
	w.clock.world = w
	w.now.Store(begin)
	w.network.init(w)
	return w
}

// begin is the loop's time when the clock starts. To a scope's deadline 0 means
// none, so that it must not be a moment like others.
const begin = 1

func (w *world) time() int64 { return w.now.Load() }

// elapsed is how long the clock has run.
func (w *world) elapsed() int64 { return w.time() - begin }

// Now is the loop's clock, and may be asked by any goroutine.
func (w *world) Now() time.Duration { return time.Duration(w.time()) }

// at has f called when the time comes. Its timer can be cancelled.
func (w *world) at(when int64, f func()) *timerwheel.Timer[func()] {
	t := &timerwheel.Timer[func()]{Value: f}
	w.coming.Add(t, when)
	return t
}

func (w *world) after(d time.Duration, f func()) *timerwheel.Timer[func()] {
	return w.at(w.time()+int64(d), f)
}

// happen lets all happen that is due, and says whether anything was.
func (w *world) happen() bool {
	any := false
	for t := w.coming.Pop(w.time()); t != nil; t = w.coming.Pop(w.time()) {
		t.Value()
		any = true
	}
	return any
}

// Wait is the loop's poller. It returns as soon as anything has happened, for
// that may have readied tasks although no socket has news.
func (w *world) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if checking {
		if msg := w.check(); msg != "" {
			return nil, errors.New("reactortest: broken: " + msg)
		}
	}
	if w.happen() || len(w.news) > 0 || timeout == 0 {
		return w.report(), nil
	}
	underWay, possible := w.outside()
	if w.strict {
		underWay, possible = 0, false
	}
	if underWay > 0 {
		<-w.wakeup
		return nil, nil
	}
	select {
	case <-w.wakeup:
		return nil, nil
	default:
	}
	next, any := w.next(timeout)
	moved, err := w.clock.move(next, any)
	switch {
	case err == nil && moved:
		w.happen()
	case err != nil && possible:
		<-w.wakeup
		err = nil
	}
	return w.report(), err
}

// next returns the first moment at which there is something to do, if any.
func (w *world) next(timeout time.Duration) (when int64, any bool) {
	when, any = w.coming.Next()
	if timeout > 0 {
		if own := w.time() + int64(timeout); !any || own < when {
			when, any = own, true
		}
	}
	return when, any
}

// set moves the time.
func (w *world) set(now int64) error {
	if w.limit > 0 && now-begin > w.limit {
		w.failure = fmt.Errorf("reactortest: the run has not ended after %v of virtual time (see Options.Limit)", time.Duration(w.limit))
		w.limit = 0
		return w.failure
	}
	w.now.Store(now)
	w.turns = 0
	return nil
}

// report takes the news of the sockets.
func (w *world) report() []eddy.Event {
	w.batch = w.batch[:0]
	for i, s := range w.news {
		w.news[i] = nil
		s.queued = false
		if r := s.readiness(); s.polled && r != 0 {
			w.batch = append(w.batch, eddy.Event{Token: s.token, Ready: r})
		}
	}
	w.news = w.news[:0]
	return w.batch
}

// Wake may be called by any goroutine.
func (w *world) Wake() error {
	select {
	case w.wakeup <- struct{}{}:
	default:
	}
	return nil
}

func (w *world) Close() error { return nil }

// Add registers a socket, whose state so far is its first news.
func (w *world) Add(fd int, token uint64) error {
	s, err := w.file(fd)
	if err != nil {
		return err
	}
	if s.polled {
		return syscall.EEXIST
	}
	s.polled, s.token = true, token
	s.tell()
	return nil
}

func (w *world) Remove(fd int) error {
	s, err := w.file(fd)
	if err != nil {
		return err
	}
	s.polled = false
	return nil
}

// file finds a simulated socket. All others are refused.
func (w *world) file(fd int) (*socket, error) {
	i := fd - firstFD
	if i < 0 {
		w.Refuse(fmt.Sprintf("file descriptor %d is a real one: the network is simulated", fd))
		return nil, fmt.Errorf("reactortest: file descriptor %d is a real one, for which nobody waits in a simulated world: %w", fd, syscall.EPERM)
	}
	if i >= len(w.files) || w.files[i] == nil {
		return nil, syscall.EBADF
	}
	return w.files[i], nil
}

// The rest is simulation.World.

var _ simulation.World = (*world)(nil)

func (w *world) Attach(outside func() (int, bool)) { w.outside = outside }
func (w *world) Strict() bool                      { return w.strict }
func (w *world) Shuffles() bool                    { return w.shuffle }
func (w *world) Choose(n int) int                  { return int(w.order.choose(uint64(n))) }

func (w *world) Turn() error {
	if w.turns++; w.turns > maxTurns && w.failure == nil {
		w.failure = fmt.Errorf("reactortest: %d turns at the same moment: time moves only when every task waits, and some yield for ever", maxTurns)
	}
	if r := w.first.Load(); r != nil {
		return r
	}
	return w.failure
}

func (w *world) Resume(t simulation.Task, s simulation.Start, why string) {
	w.ran++
	if t == nil {
		w.running.Store(0)
		w.happened(kindResume, nil, 0, 0, func() string { return "a callback runs" })
		return
	}
	w.running.Store(t.ID())
	w.happened(kindResume, w.shown(t), t.ID(), hashString(why), func() string {
		if s == simulation.Begins {
			return t.String() + " begins"
		}
		return t.String() + " goes on: " + why
	})
}

func (w *world) Suspend(t simulation.Task, e simulation.End, what fmt.Stringer, err error) {
	if t == nil {
		return
	}
	w.happened(kindSuspend, w.shown(t), t.ID(), uint64(e)<<56^hashOf(what), func() string {
		switch {
		case e == simulation.Waits:
			return t.String() + " waits for " + w.Describe(what)
		case e == simulation.Yields:
			return t.String() + " lets others run"
		case err != nil:
			return fmt.Sprintf("%v ends: %v", t, err)
		}
		return t.String() + " ends"
	})
}

// hashOf is the hash of what a task waits for, without making text of it.
func hashOf(what fmt.Stringer) uint64 {
	switch what := what.(type) {
	case nil:
		return 0
	case *reactor.FD:
		return uint64(what.Sysfd())
	case reactor.AnyTask:
		return what.ID()
	}
	return hashString(what.String())
}

func (w *world) Describe(what fmt.Stringer) string {
	if f, ok := what.(*reactor.FD); ok {
		if s, err := w.file(f.Sysfd()); err == nil {
			return s.String()
		}
	}
	return what.String()
}

// shown is the host to be shown with a task in the trace, if that is kept.
func (w *world) shown(t simulation.Task) *boot {
	if !w.trace.recorded {
		return nil
	}
	return w.home(t)
}

// home is the host that a task, or a context, is at home on.
func (w *world) home(ctx interface{ Value(any) any }) *boot {
	b, _ := ctx.Value(simulation.HostKey).(*boot)
	return b
}

// ToLoop takes a time of the system's clock, as std and most programs make
// deadlines of, for the time that is left until then, in hundredths of a second:
// finer, and it would tell how fast the machine is.
func (w *world) ToLoop(t time.Time, of any) int64 {
	if isReal(t) {
		const grain = 10 * time.Millisecond
		left := time.Until(t)
		if left > 0 {
			left = max(grain, left.Round(grain))
		}
		return w.time() + int64(left)
	}
	d := int64(t.Sub(epoch))
	if h := w.hostOf(of); h != nil {
		d = h.reached(d)
	}
	return min(d, math.MaxInt64-begin) + begin
}

// isReal says whether t was read from the system's monotonic clock.
func isReal(t time.Time) bool { return t != t.Round(0) }

func (w *world) ToWall(when int64, of any) time.Time {
	when -= begin
	if h := w.hostOf(of); h != nil {
		when = h.shows(when)
	}
	return epoch.Add(time.Duration(when))
}

// hostOf is the host that a context or a file descriptor is at home on, or nil.
func (w *world) hostOf(of any) *Host {
	switch of := of.(type) {
	case int:
		if i := of - firstFD; i >= 0 && i < len(w.files) && w.files[i] != nil {
			return w.files[i].home.host
		}
	case interface{ Value(any) any }:
		if b := w.home(of); b != nil {
			return b.host
		}
	}
	return nil
}
