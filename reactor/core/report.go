package core

// A Report is a problem that the loop can't return to a caller.
type Report struct {
	Kind  ReportKind
	What  string // the problem in words
	Task  string // the task's name, if there is one
	Err   error
	Stack []byte // where it happened, if known and not in Err
}

// A ReportKind is the kind of problem of a Report.
type ReportKind uint8

const (
	TaskFailed          ReportKind = iota // and was not awaited
	CallbackPanicked                      // or a function at the loop's end
	StepSlow                              // longer than Config.SlowStep
	LoopBlocked                           // longer than Config.Blocked
	LoopUnblocked                         // it runs again
	NotStopped                            // a task, callback or thread, at the loop's end
	CancellationIgnored                   // a task goes on although its ctx is done
	NearDeadlock                          // only the end of Run's ctx can wake a task
	LoopFailed                            // a system call of the loop itself failed
)

// Report reports r.
func (l *Loop) Report(r Report) { l.facade.Report(r) }
