package reactor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/internal/logqueue"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/virtual"
	"github.com/eddyio/eddy/reactor/core"
)

var (
	errBoom  = errors.New("boom")
	errOther = errors.New("another")
)

// A world is a loop's virtual time and kernel.
type world = virtual.Poller

func newWorld(t testing.TB) *world { return virtual.New(t) }

// checkedBy checks the loop's invariants at each Wait of the world.
func checkedBy(l *core.Loop, v *world) {
	v.Check = func() string {
		if l.Holdings().Workers >= 64 { // it takes time
			return ""
		}
		if err := l.Check(); err != nil {
			return err.Error()
		}
		return ""
	}
}

// A journal is a slog.Handler that keeps records.
type journal struct {
	mu    sync.Mutex
	lines []string
	logs  *logqueue.Queue // of the loop that writes into it, once it has begun
}

// written waits until all records were written.
func (j *journal) written() {
	if j.logs != nil {
		j.logs.Flush(time.Minute)
	}
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }

func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

func (j *journal) WithGroup(string) slog.Handler { return j }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	return nil
}

func (j *journal) count(part string) (n int) {
	j.written()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func (j *journal) all() []string {
	j.written()
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// A setup is how a test runs its loop.
type setup struct {
	Options
	ctx   context.Context // nil: Background
	world *world          // nil: the real clock and poller
	log   *journal        // nil: the test fails if anything is logged
	leaky bool            // the loop is meant to be abandoned: don't check what is left
	later bool            // timers may be left at the end
}

func (s setup) run(t testing.TB, main func(ctx context.Context) error) error {
	t.Helper()
	defer testkit.LeakCheck(t)()
	s, j := s.prepare()
	var l *core.Loop
	ended := false
	defer func() { // deferred, for tests of Goexit
		if !ended && l == nil {
			return
		}
		if l != nil && !s.leaky {
			checkEnd(t, l, s.later)
		}
		if s.world != nil && l != nil && !s.world.Closed.Load() {
			t.Error("the poller was not closed")
		}
		if s.log == nil {
			for _, line := range j.all() {
				t.Error("logged: " + line)
			}
		}
	}()
	err := s.Options.Run(s.ctx, func(ctx context.Context) error {
		l = core.Nearest(ctx).Loop()
		j.logs = &Facade(l).logs
		if s.world != nil {
			checkedBy(l, s.world)
		}
		return main(ctx)
	})
	ended = true
	return err
}

func (s setup) prepare() (setup, *journal) {
	j := s.log
	if j == nil {
		j = new(journal)
	}
	s.Logger = slog.New(j)
	if s.BlockedAfter == 0 { // a busy machine may let a task stand
		s.BlockedAfter = -1
	}
	if s.world != nil {
		s.Clock, s.Poller = s.world, s.world
	}
	if s.ctx == nil {
		s.ctx = context.Background()
	}
	return s, j
}

// run runs main on a virtual clock and fails the test if it fails.
func run(t testing.TB, main func(ctx context.Context) error) {
	t.Helper()
	if err := (setup{world: newWorld(t)}).run(t, main); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

// runReal is run with the real clock and the real poller.
func runReal(t testing.TB, main func(ctx context.Context) error) {
	t.Helper()
	if err := (setup{}).run(t, main); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

// checkNow fails the test if an invariant of the loop is broken. The caller is a
// task or a callback.
func checkNow(t testing.TB, l *core.Loop) {
	t.Helper()
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	if n := len(slices.Collect(Facade(l).threads.queue.All)); n > 0 && l.Threads(0) == 0 {
		t.Errorf("%d tasks wait for a thread, and none is in use", n)
	}
}

// checkEnd checks that a loop whose Run has returned holds nothing.
func checkEnd(t testing.TB, l *core.Loop, later bool) {
	t.Helper()
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	if h := l.Holdings(); h.Timers > 0 && !later {
		t.Errorf("after Run: %+v", h)
	}
	if l.Threads(0) > Facade(l).maxThreads {
		t.Error("more threads than allowed")
	}
}

// A trace records events in order.
type trace []string

func (tr *trace) add(format string, args ...any) { *tr = append(*tr, fmt.Sprintf(format, args...)) }

func (tr trace) want(t testing.TB, want string) {
	t.Helper()
	if got := strings.Join(tr, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// yields lets other tasks run for n turns.
func yields(ctx context.Context, n int) {
	for range n {
		Yield(ctx)
	}
}

// panics returns what f panicked with, as text; "" if it did not.
func panics(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// permutations calls f with every order of every nonempty subset of 0..n-1.
func permutations(n int, f func(order []int)) {
	var extend func(order []int)
	extend = func(order []int) {
		if len(order) > 0 {
			f(order)
		}
		for i := range n {
			if !slices.Contains(order, i) {
				extend(append(slices.Clone(order), i))
			}
		}
	}
	extend(nil)
}

func closeFD(fd int) error { return unix.Close(fd) }

// takeNumber duplicates fd to a number that was closed just now. (dup2 would do
// it in one step, but not every system has it under the same name.)
func takeNumber(fd, number int) error {
	switch got, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, number); {
	case err != nil:
		return err
	case got != number:
		unix.Close(got)
		return fmt.Errorf("fd %d is taken", number)
	}
	return nil
}

// reports collects a loop's calls of Options.OnError.
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

// verdict describes an await's error in a word.
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

// dearIdentity reports whether identifying goroutines costs microseconds, and
// occasionally an allocation, as on processors without assembly for it.
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
