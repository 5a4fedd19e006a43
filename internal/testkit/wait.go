package testkit

import (
	"runtime"
	"testing"
	"time"
)

// Eventually waits until ok, which must be quick, returns true. It fails t if
// that takes longer than Patience.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		runtime.Gosched()
	}
}

// Blocking runs f on a goroutine and waits for it while blocking the caller's
// thread, and with it a loop. It fails t with f's error, or if f does not
// return.
func Blocking(t testing.TB, what string, f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(Patience / 2):
		t.Fatalf("%s waits for the loop", what)
	}
}
