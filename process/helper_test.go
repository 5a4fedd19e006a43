package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

const patience = testkit.Patience

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		beChild(name)
	}
	os.Exit(m.Run())
}

// leaks fails t if, once it is over, there are more goroutines or fds than now,
// or children.
func leaks(t testing.TB) {
	t.Helper()
	testkit.Leaks(t)
	t.Cleanup(func() {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
			t.Errorf("a child is left: %d (%v); 0 is one that runs, else a zombie", pid, err)
		}
	})
}

// eventually tries until f returns nil.
func eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("waited in vain for %s: %v", what, err)
			return
		}
	}
}

// run runs f as the main task of a loop, and then looks for leaks.
func run(t testing.TB, f func(ctx context.Context)) {
	t.Helper()
	runWith(t, reactor.Options{}, f)
}

func runWith(t testing.TB, o reactor.Options, f func(ctx context.Context)) {
	t.Helper()
	leaks(t)
	if o.BlockedAfter == 0 { // std's own calls may block for a while on a busy machine
		o.BlockedAfter = -1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(failing{t}, nil))
	}
	err := o.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Timeout(ctx, patience, func(ctx context.Context) error {
			f(ctx)
			return ctx.Err()
		})
	})
	if err != nil {
		t.Error("the loop ended with", err)
	}
}

// failing is a log that must stay empty.
type failing struct{ t testing.TB }

func (w failing) Write(p []byte) (int, error) {
	w.t.Errorf("logged: %s", p)
	return len(p), nil
}

// logged is a log for tests to read.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *logged) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// bothWays runs f twice: with exits reported by the kernel, and with a poller
// that refuses the fds for that, so that a thread has to wait.
func bothWays(t *testing.T, o reactor.Options, f func(t *testing.T, ctx context.Context)) {
	t.Helper()
	t.Run("fd", func(t *testing.T) { runWith(t, o, func(ctx context.Context) { f(t, ctx) }) })
	t.Run("thread", func(t *testing.T) {
		p := noExits(t)
		o.Poller = p
		runWith(t, o, func(ctx context.Context) { f(t, ctx) })
		if p.refused == 0 {
			t.Error("the poller refused nothing: this was no test")
		}
	})
}

// noExits returns a poller that refuses fds that report exits.
func noExits(t testing.TB) *pickyPoller {
	p := &pickyPoller{Poller: newPoller(t)}
	p.refuse = func(fd int) error {
		if tellsExit(fd) {
			return syscall.EPERM
		}
		return nil
	}
	return p
}

// A pickyPoller refuses some fds.
type pickyPoller struct {
	*eddy.Poller
	refuse  func(fd int) error
	refused int
}

func newPoller(t testing.TB) *eddy.Poller {
	t.Helper()
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pickyPoller) Add(fd int, token uint64) error {
	if err := p.refuse(fd); err != nil {
		p.refused++
		return err
	}
	return p.Poller.Add(fd, token)
}

// tellsExit reports whether awaitExit waits for fd: on Linux a pidfd; elsewhere
// a kqueue, for which anything but a pipe is mistaken.
func tellsExit(fd int) bool {
	if link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil {
		return strings.Contains(link, "pidfd") || strings.Contains(link, "eventpoll") // the model's kqueue
	}
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO
}

// started starts c and waits until it reports that it is ready.
func started(t testing.TB, ctx context.Context, c *Cmd) (*Cmd, *bufio.Reader) {
	t.Helper()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); line != "ready\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	return c, r
}

// killed reports whether err is that of a program ended by a signal.
func killed(err error, by syscall.Signal) bool {
	var exit interface{ Sys() any }
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == by
}

// gone fails the test unless there is no such process, soon.
func gone(t testing.TB, pid int) {
	t.Helper()
	eventually(t, fmt.Sprint("the end of process ", pid), func() error {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			return fmt.Errorf("kill(2) says %v", err)
		}
		return nil
	})
}
