package reactor

import "github.com/eddyio/eddy/reactor/core"

// A Report is what the loop has to say that no caller can be told: an error
// that nobody awaited, a callback's panic, a task that would not stop, a step
// that took long.
type Report struct {
	Kind  ReportKind
	What  string // the same in words, for a log
	Task  string // the task's name, if there is one
	Err   error
	Stack []byte // where it happened, if that is known and Err does not say
}

// A ReportKind is what a [Report] is about.
type ReportKind uint8

const (
	// TaskFailed: a task, or what it called in a thread, failed and nobody awaited it.
	TaskFailed = ReportKind(core.TaskFailed)
	// CallbackPanicked: a callback did, or called runtime.Goexit, and was ended by that.
	CallbackPanicked = ReportKind(core.CallbackPanicked)
	// StepSlow: a task or callback kept the thread for longer than Options.SlowStep.
	StepSlow = ReportKind(core.StepSlow)
	// LoopBlocked: one keeps it for longer than Options.BlockedAfter.
	LoopBlocked = ReportKind(core.LoopBlocked)
	// LoopUnblocked: the loop goes on.
	LoopUnblocked = ReportKind(core.LoopUnblocked)
	// NotStopped: a task, a callback or a function in a thread did not end with the
	// loop, and was cut off, dropped or left behind.
	NotStopped = ReportKind(core.NotStopped)
	// CancellationIgnored: a task goes on and on though its ctx is done.
	CancellationIgnored = ReportKind(core.CancellationIgnored)
	// NearDeadlock: only the end of Run's ctx can wake a task now.
	NearDeadlock = ReportKind(core.NearDeadlock)
	// LoopFailed: a system call of the loop's own did.
	LoopFailed = ReportKind(core.LoopFailed)
)

// report reports to Options.OnError, or else to the log.
func (l *Loop) report(r Report) {
	if l.onError != nil {
		l.onError(r)
		return
	}
	l.logReport(r)
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
