package reactortest

import (
	"errors"
	"runtime"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// A verdict records that a task has ended the test. A runtime.Goexit in a task
// ends only that task, but one by the test's FailNow or SkipNow is meant for
// the test: the run ends, and then the test's goroutine exits.
type verdict struct {
	test  testing.TB
	ended bool
}

// errVerdict ends the run.
var errVerdict = errors.New("reactortest: a task has ended the test")

// learn records the error of a task or a callback, and reports whether it ends
// the test.
func (v *verdict) learn(err error) bool {
	if !errors.Is(err, reactor.ErrGoexit) || !v.test.Failed() && !v.test.Skipped() {
		return false
	}
	v.ended = true
	return true
}

// leave exits the test's goroutine, if a task has ended the test. err is the
// run's error.
func (v *verdict) leave(err error) {
	if !v.ended {
		return
	}
	if err != nil && err != errVerdict {
		v.test.Helper()
		v.test.Error(err)
	}
	runtime.Goexit()
}
