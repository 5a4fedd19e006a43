// Package testkit answers: what does a test of any package ask of its process, and
// which bytes does it send? Only tests import it and the packages inside its folder;
// internal/rooms checks that.
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

// Held is what a process holds that a test could leave behind.
type Held struct {
	Goroutines int
	FDs        []string // empty where the system does not list them
}

// Holdings returns what the process holds now.
func Holdings() Held { return Held{Goroutines(), openFDs()} }

// Goroutines returns the number of goroutines. It stops the world for it, since
// [runtime.NumGoroutine] also counts those that have ended while the garbage collector
// frees their stacks: markrootFreeGStacks takes them off the list of the free ones.
func Goroutines() int {
	var tooFew [1]runtime.StackRecord
	n, _ := runtime.GoroutineProfile(tooFew[:])
	return n
}

// Patience bounds what must happen at all. It finds what hangs; a machine on which many
// programs compete for the processor must not come near it.
const Patience = 2 * time.Minute

// Leaked waits until the process holds no more than before. It returns an error with
// all stacks if that takes longer than a loaded machine explains.
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

// Settle starts what the standard library starts once and keeps for good: its poller,
// with its descriptors, and the goroutine that waits for signals. A TestMain calls it
// before anybody counts.
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
