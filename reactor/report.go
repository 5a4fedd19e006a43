package reactor

// A Report is what the loop has to say that no caller can be told: an error
// that nobody awaited, a callback's panic, a task that would not stop, a step
// that took long.
type Report struct {
	What  string
	Task  string // the task's name, if there is one
	Err   error
	Stack []byte // where it happened, if that is known and Err does not say
}

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
