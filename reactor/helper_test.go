package reactor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
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
)

var (
	errBoom  = errors.New("boom")
	errOther = errors.New("another")
)

// A world is a loop's virtual time and kernel.
type world = virtual.Poller

func newWorld(t testing.TB) *world { return virtual.New(t) }

// checkedBy has the loop's invariants checked at each Wait of the world.
func (l *loop) checkedBy(v *world) {
	v.Check = func() string {
		if len(l.workers) >= 64 { // it takes time
			return ""
		}
		return l.checkParts()
	}
}

// A journal is a slog.Handler that remembers.
type journal struct {
	mu    sync.Mutex
	lines []string
	logs  *logqueue.Queue // of the loop that writes into it, once it has begun
}

// written waits until there is all that was logged.
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
	var l *loop
	ended := false
	defer func() { // deferred, for tests of Goexit
		if !ended && l == nil {
			return
		}
		if l != nil && !s.leaky {
			l.checkEnd(t, s.later)
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
		l = nearest(ctx).loop
		j.logs = &facadeOf(l).logs
		if s.world != nil {
			l.checkedBy(s.world)
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

// checkParts checks what must hold at any moment on the loop's thread.
func (l *loop) checkParts() string {
	for _, msg := range []string{l.ready.check(), l.root.check(), l.detached.check(), l.shielded.check(), facadeOf(l).threads.queue.check()} {
		if msg != "" {
			return msg
		}
	}
	queued := make(map[*worker]int)
	tasks := 0
	for i := range l.ready.n {
		switch r := l.ready.buf[(l.ready.head+i)&(len(l.ready.buf)-1)].(type) {
		case *worker:
			queued[r]++
		case *callback, *timedCall:
		case *Dormant:
			if r.state != dormantDue || r.node.list != nil {
				return "a dormant is queued that is not due"
			}
		default:
			tasks++ // not started yet
		}
	}
	idlers := make(map[*worker]bool)
	for w := l.idle; w != nil; w = w.nextIdle {
		idlers[w] = true
	}
	if len(idlers) != l.idlers {
		return "loop: the idle list and its count disagree"
	}
	if l.batch > l.ready.n {
		return "loop: a batch greater than the queue"
	}
	for i, w := range l.workers {
		if w.task != nil {
			tasks++
		}
		if msg := w.checkState(queued[w], idlers[w]); msg != "" || w.index != i {
			return fmt.Sprintf("worker %d with index %d, state %d: %s", i, w.index, w.state, msg)
		}
	}
	if tasks != l.live {
		return fmt.Sprintf("loop: %d tasks found, %d counted", tasks, l.live)
	}
	if l.ioWaits < 0 || l.threads < 0 || l.threads > facadeOf(l).maxThreads || l.outsiders < 0 {
		return "loop: a count is out of range"
	}
	return ""
}

func (w *worker) checkState(queued int, idler bool) string {
	if msg := w.checkRegions(); msg != "" {
		return msg
	}
	if idler != (w.state == idle) {
		return "the idle list disagrees"
	}
	switch w.state {
	case idle:
		if w.task != nil || queued != 0 || w.shadow != nil {
			return "idle, but has something to do"
		}
	case parked:
		if queued != 0 || w.where == nil || w.task == nil {
			return "parked, but queued, nowhere, or no task"
		}
		if (w.where.w != w) != (w.guestOf != nil) {
			return "a guest that is none, or the reverse"
		}
		if w.where.reason.Load() != nil {
			return "parked under a done scope"
		}
		if q := w.node.list; q != nil {
			return q.check()
		}
	case ready:
		if queued != 1 || w.where != nil || w.guestOf != nil || w.node.list != nil || w.timer.Active() {
			return fmt.Sprintf("ready, but queued %d times or with something left", queued)
		}
	case running:
		if queued != 0 || w.node.list != nil || w.timer.Active() {
			return "running, but queued or waiting"
		}
	case gone:
		return "gone, but listed"
	}
	return ""
}

// check fails the test if an invariant of the loop is broken. The caller is a
// task or a callback, so exactly one worker runs.
func (l *loop) checkNow(t testing.TB) {
	t.Helper()
	if msg := l.checkParts(); msg != "" {
		t.Error(msg)
	}
	for _, w := range l.workers {
		if (w.state == running) != (w == l.cur) {
			t.Errorf("a worker in state %d, current: %v", w.state, w == l.cur)
		}
	}
}

// checkEnd checks that a loop whose Run has returned holds nothing.
func (l *loop) checkEnd(t testing.TB, later bool) {
	t.Helper()
	l.wheel.Cancel(&l.closer)
	for name, n := range map[string]int{
		"workers": len(l.workers), "dying": len(l.dying), "live": l.live,
		"ioWaits": l.ioWaits, "threads": l.threads, "outsiders": l.outsiders, "fds": l.fds.n,
	} {
		if n != 0 {
			t.Errorf("after Run: %s = %d", name, n)
		}
	}
	if n := l.wheel.Len(); n != 0 && !later {
		t.Errorf("after Run: %d timers", n)
	}
	for _, s := range []*scope{&l.root, &l.detached, &l.shielded} {
		if s.kids != nil {
			t.Error("after Run: a scope is left")
		}
		if x := s.extra.Load(); x != nil && x.guests.first != nil {
			t.Error("after Run: a guest is left")
		}
	}
	if !l.finished.Load() || l.running != 0 {
		t.Error("after Run: the loop is not marked as ended")
	}
	for i, r := range l.ready.buf {
		switch r.(type) {
		case nil, *callback, *timedCall:
		default:
			t.Errorf("after Run: entry %d of the ready queue is %T", i, r)
		}
	}
}

// A trace is what happened, in order.
type trace []string

func (tr *trace) add(format string, args ...any) { *tr = append(*tr, fmt.Sprintf(format, args...)) }

func (tr trace) want(t testing.TB, want string) {
	t.Helper()
	if got := strings.Join(tr, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// yields gives everybody else n turns.
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

// eventually waits for a condition that another goroutine brings about.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		runtime.Gosched()
	}
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
