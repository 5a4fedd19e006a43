package reactortest

import (
	"errors"
	"runtime"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// A verdict is what a test has come to while it runs. A runtime.Goexit in a task ends
// that task alone, but one by the test's FailNow or SkipNow is meant for the test: the
// run ends, and then the goroutine of the test exits.
type verdict struct {
	test  testing.TB
	ended bool
}

// errVerdict ends the run.
var errVerdict = errors.New("reactortest: a task has ended the test")

// learn is told what a task or a callback has failed with. It reports whether that is
// the end of the test.
func (v *verdict) learn(err error) bool {
	if !errors.Is(err, reactor.ErrGoexit) || !v.test.Failed() && !v.test.Skipped() {
		return false
	}
	v.ended = true
	return true
}

// leave exits the test's goroutine, if the test is at its end. err is what the run has
// come to.
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
