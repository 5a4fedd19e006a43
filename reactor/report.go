package reactor

import (
	"runtime/debug"

	"github.com/eddyio/eddy/reactor/core"
)

// A Report is a problem that the loop can't return to a caller: an error that
// was not awaited, a callback's panic, a task that did not stop, a slow step.
type Report struct {
	Kind  ReportKind
	What  string // the problem in words, for a log
	Task  string // the task's name, if there is one
	Err   error
	Stack []byte // where it happened, if known and not in Err
}

// A ReportKind is the kind of problem of a [Report].
type ReportKind uint8

const (
	// TaskFailed: a task, or its function in a thread, failed and was not
	// awaited.
	TaskFailed = ReportKind(core.TaskFailed)
	// CallbackPanicked: a callback panicked, or called runtime.Goexit.
	CallbackPanicked = ReportKind(core.CallbackPanicked)
	// StepSlow: a task or callback kept the thread for longer than Options.SlowStep.
	StepSlow = ReportKind(core.StepSlow)
	// LoopBlocked: a task or callback has kept the thread for longer than
	// Options.BlockedAfter, and still does.
	LoopBlocked = ReportKind(core.LoopBlocked)
	// LoopUnblocked: the loop runs again after LoopBlocked.
	LoopUnblocked = ReportKind(core.LoopUnblocked)
	// NotStopped: a task, a callback or a function in a thread did not end with
	// the loop, and was cut off, dropped or left running.
	NotStopped = ReportKind(core.NotStopped)
	// CancellationIgnored: a task goes on although its ctx is done.
	CancellationIgnored = ReportKind(core.CancellationIgnored)
	// NearDeadlock: only the end of Run's ctx can wake a task.
	NearDeadlock = ReportKind(core.NearDeadlock)
	// LoopFailed: a system call of the loop itself failed.
	LoopFailed = ReportKind(core.LoopFailed)
)

// report reports to Options.OnError, or else to the log.
func (l *Loop) report(r Report) {
	if l.onError == nil {
		l.logReport(r)
		return
	}
	defer func() {
		if v := recover(); v != nil { // what it was called from can't be left by a panic
			l.core.Fail((*coreFacade)(l).Panicked("Options.OnError", v, debug.Stack()))
		}
	}()
	l.onError(r)
}

// logReport reports to the log. It may be called from any goroutine.
func (l *Loop) logReport(r Report) {
	var args []any
	if r.Task != "" {
		args = append(args, "task", r.Task)
	}
	if r.Err != nil {
		args = append(args, "error", r.Err)
	}
	if r.Stack != nil {
		args = append(args, "stack", string(r.Stack))
	}
	l.log.Error("reactor: "+r.What, args...)
}
