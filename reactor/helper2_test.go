package reactor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"golang.org/x/sys/unix"
)

// reports is what a loop had to say to Options.OnError.
type reports []Report

func (rs *reports) add(r Report) { *rs = append(*rs, r) }

func (rs *reports) count(what string) (n int) {
	for _, r := range *rs {
		if strings.Contains(r.What, what) {
			n++
		}
	}
	return n
}

// verdict puts what an await returned into a word.
func verdict(what string, err error) string {
	switch {
	case err == nil:
		return what
	case errors.Is(err, errBoom):
		return "cancel"
	case err == context.DeadlineExceeded:
		return "timeout"
	case err == ErrClosed:
		return "closed"
	case err == ErrBroken:
		return "broken"
	}
	return err.Error()
}

// socketPair returns two connected sockets, closed when the test ends.
func socketPair(t testing.TB) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		unix.SetNonblock(fd, true)
		unix.CloseOnExec(fd)
	}
	return fds[0], fds[1]
}

func send(t testing.TB, fd int, s string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(s)); n != len(s) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
}

// elsewhere returns what f panicked with on another goroutine.
func elsewhere(f func()) string {
	text := make(chan string)
	go func() { text <- panics(f) }()
	return <-text
}

// wantPanic fails the test unless f panics with a text that has part in it.
func wantPanic(t testing.TB, part string, f func()) {
	t.Helper()
	if got := panics(f); !strings.Contains(got, part) {
		t.Errorf("panicked with %q, want %q in it", got, part)
	}
}

// doneCtx returns a ctx below ctx that is done, for the cause errBoom.
func doneCtx(ctx context.Context) (done context.Context) {
	Scope(ctx, func(ctx context.Context, s *CancelScope) error {
		s.Cancel(errBoom)
		done = ctx
		return nil
	})
	return done
}

// dearIdentity says whether to tell goroutines apart costs microseconds, and now
// and then an allocation, as it does where there is no assembly for it.
var dearIdentity = sync.OnceValue(func() bool {
	best := time.Hour
	for range 20 {
		began := time.Now()
		for range 10 {
			coro.Self()
		}
		best = min(best, time.Since(began))
	}
	return best > 10*300*time.Nanosecond
})

// allocsPerRun is [testing.AllocsPerRun] inside a loop, whose first rounds
// make workers and queues grow.
func allocsPerRun(t *testing.T, most float64, f func(ctx context.Context)) {
	t.Helper()
	if dearIdentity() {
		t.Skip("a goroutine's identity may cost an allocation on this platform")
	}
	run(t, func(ctx context.Context) error {
		for range 10 {
			f(ctx)
		}
		if n := testing.AllocsPerRun(100, func() { f(ctx) }); n > most {
			t.Errorf("%v allocations, want at most %v", n, most)
		}
		return nil
	})
}
