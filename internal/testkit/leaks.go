// Package testkit has helpers for the tests of all packages. Only tests import
// it and the packages inside its folder; internal/rooms checks that.
package testkit

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"testing"
	"time"

	stdnet "net"
)

// Held lists resources of a process that a test could leak.
type Held struct {
	Goroutines int
	FDs        []string // empty where the system does not list them
}

// Holdings returns what the process holds now.
func Holdings() Held { return Held{Goroutines(), openFDs()} }

// Goroutines returns the number of goroutines. It stops the world first,
// because [runtime.NumGoroutine] also counts dead goroutines while the garbage
// collector frees their stacks: markrootFreeGStacks takes them off the free
// list.
func Goroutines() int {
	var tooFew [1]runtime.StackRecord
	n, _ := runtime.GoroutineProfile(tooFew[:])
	return n
}

// Patience is the time limit for things that must happen eventually. It is
// meant to detect hangs, so even a heavily loaded machine must stay far below
// it.
const Patience = 2 * time.Minute

// Leaked waits until the process holds no more than before. If that takes
// longer than a loaded machine can explain, it returns an error with all
// stacks.
func (before Held) Leaked() error { return before.leaked(Patience / 4) }

func (before Held) leaked(within time.Duration) error {
	for deadline := time.Now().Add(within); ; time.Sleep(100 * time.Microsecond) {
		now := Holdings()
		if now.Goroutines <= before.Goroutines && len(now.FDs) <= len(before.FDs) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("leak: goroutines %d, were %d; fds %v, were %v\n%s",
				now.Goroutines, before.Goroutines, now.FDs, before.FDs, Stacks())
		}
	}
}

// Leaks fails t unless, once t is over, the process holds no more goroutines and
// descriptors than now. Cleanups that t registers later run before the check.
func Leaks(t testing.TB) {
	t.Helper()
	t.Cleanup(LeakCheck(t))
}

// LeakCheck returns a function, to be deferred, that fails t if the process holds more
// goroutines or descriptors than when LeakCheck was called.
func LeakCheck(t testing.TB) func() {
	before := Holdings()
	return func() {
		t.Helper()
		if err := before.Leaked(); err != nil {
			t.Error(err)
		}
	}
}

// Settle starts what the standard library starts once and then keeps: its
// poller, with its descriptors, and the goroutine that waits for signals. A
// TestMain calls it before the first count.
func Settle() {
	if ln, err := stdnet.Listen("tcp", "127.0.0.1:0"); err == nil {
		ln.Close()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
}

// Stacks returns the stacks of all goroutines.
func Stacks() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}

func openFDs() []string {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return slices.DeleteFunc(names, func(s string) bool { return s == fmt.Sprint(dir.Fd()) })
}
