package core

import (
	"errors"
	"fmt"
	"time"
)

// ErrSlow is the error in the [Report] of a step that took longer than
// Options.SlowStep.
var ErrSlow = errors.New("reactor: it kept the loop's thread: use ToThread for long computation, or Yield in its midst")

// slowError is an ErrSlow with details of the step.
type slowError struct {
	took    time.Duration
	ignored int
}

// ignoring is how many awaits in one step must fail at once, because their ctx
// is done, until the task counts as ignoring its cancellation.
const ignoring = 10

func (e *slowError) Error() string {
	if e.ignored < ignoring {
		return fmt.Sprintf("%v (%v)", ErrSlow, e.took)
	}
	return fmt.Sprintf("reactor: it kept the loop's thread (%v): its ctx is done, so %d awaits returned ctx's error at once, and it went on: return the error", e.took, e.ignored)
}

func (e *slowError) Is(target error) bool { return target == ErrSlow }

// A step is what runs between two switches: a task, or nil for a callback, and
// since when.
type step struct {
	task  *Task
	began int64
	on    bool

	ignored int // awaits that failed because their ctx was done
}

// change ends the step that runs, if there is one, and begins that of j, if that is not
// nil.
func (l *Loop) change(j Job) {
	if l.rec != nil {
		l.rec.change(l.cur, j)
	}
	if l.wary {
		l.endStep()
		if j != nil {
			l.beginStep(j)
		}
	}
}

func (l *Loop) beginStep(r Job) {
	l.step = step{on: true}
	if l.slow > 0 {
		l.step.began = l.Now()
	}
	switch r := r.(type) {
	case *Worker:
		l.step.task = r.task
	case TaskJob:
		l.step.task = r.Record()
	}
	if l.sim != nil {
		l.tellResume(r)
	}
}

// endStep reports the ending step if it was slow.
func (l *Loop) endStep() {
	if l.sim != nil {
		l.tellSuspend()
	}
	if l.slow <= 0 {
		l.step.on = false
		return
	}
	on, took := l.step.on, time.Duration(l.Now()-l.step.began)
	l.step.on = false
	if !on || took <= l.slow {
		return
	}
	s := SlowStep{At: time.Now(), Took: took}
	r := Report{Kind: StepSlow, What: "a callback was slow", Err: &slowError{took, l.step.ignored}}
	if t := l.step.task; t != nil {
		r.What, r.Task = "a task was slow", t.String()
	}
	if l.sighted != nil {
		if s := l.sighted.Load(); s != nil && s.step == l.steps {
			r.Stack = s.stack
		}
	}
	s.Task, s.Stack = r.Task, r.Stack
	l.exhibits.wasSlow(s)
	l.Report(r)
}
