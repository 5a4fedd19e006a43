package core

// A Report is what the loop has to say that no caller can be told.
type Report struct {
	Kind  ReportKind
	What  string // the same in words
	Task  string // the task's name, if there is one
	Err   error
	Stack []byte // where it happened, if that is known and Err does not say
}

// A ReportKind is what a Report is about.
type ReportKind uint8

const (
	TaskFailed          ReportKind = iota // and nobody awaited it
	CallbackPanicked                      // or a function at the loop's end
	StepSlow                              // longer than Config.SlowStep
	LoopBlocked                           // longer than Config.Blocked
	LoopUnblocked                         // it goes on
	NotStopped                            // a task, callback or thread, at the loop's end
	CancellationIgnored                   // a task goes on though its ctx is done
	NearDeadlock                          // only the end of Run's ctx can wake a task
	LoopFailed                            // a system call of the loop's own did
)

// Report reports r.
func (l *Loop) Report(r Report) { l.facade.Report(r) }
