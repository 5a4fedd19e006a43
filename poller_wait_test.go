package eddy

import (
	"math"
	"runtime"
	"testing"
	"time"
)

// sleeps measures how late the best of n sleeps is, and fails if they are early.
// A signal may end a Wait, and the Go runtime sends itself signals to preempt
// long-running goroutines, so one sleep in twenty may be early; a rounding
// error would make all of them early.
func sleeps(t *testing.T, p *Poller, n int, d time.Duration) (best time.Duration) {
	t.Helper()
	best = math.MaxInt64
	early := 0
	for range n {
		runtime.Gosched() // begin a new time slice: preemption is less likely
		start := time.Now()
		events, err := p.Wait(d)
		late := time.Since(start) - d
		if len(events) != 0 || err != nil {
			t.Fatalf("events %v, %v", events, err)
		}
		if late < 0 {
			early++
			continue
		}
		best = min(best, late)
	}
	if early > n/20 {
		t.Fatalf("%d of %d sleeps of %v were early", early, n, d)
	}
	return best
}

func TestSleepIsNeverEarly(t *testing.T) {
	p := newPoller(t)
	// A tenth of a millisecond, so that rounding to milliseconds would show.
	n, late := 1000, 800*time.Microsecond
	if tick() > 0 {
		n, late = 20, 2*tick()
	}
	if best := sleeps(t, p, n, 100*time.Microsecond); best > late {
		t.Errorf("the best of %d sleeps was %v late", n, best)
	}
	for _, d := range []time.Duration{1, 999, time.Millisecond + 1, 2*time.Millisecond - 1} {
		sleeps(t, p, 20, d)
	}
}

// A timeout of any length is accepted.
func TestLongTimeout(t *testing.T) {
	p := newPoller(t)
	for _, d := range []time.Duration{-1, math.MinInt64, time.Hour, 100 * 24 * time.Hour, math.MaxInt64} {
		p.Wake()
		wakeBounded(t, p, d)
	}
}

// wakeBounded waits, with any timeout, for a wake that is pending.
func wakeBounded(t *testing.T, p *Poller, timeout time.Duration) {
	t.Helper()
	stuck := time.AfterFunc(patience, func() { panic("Wait does not end") })
	defer stuck.Stop()
	if events := next(t, p, timeout); len(events) != 0 {
		t.Errorf("events %v", events)
	}
}

func TestPollDoesNotBlock(t *testing.T) {
	p := newPoller(t)
	best := time.Duration(math.MaxInt64)
	for range 100 {
		start := time.Now()
		quiet(t, p)
		best = min(best, time.Since(start))
	}
	if best > time.Millisecond {
		t.Errorf("the best of 100 polls took %v", best)
	}
}

// manyReady returns n registrations of one socket, tokens 0 to n-1, and its peer.
func manyReady(t testing.TB, p *Poller, n int) (peer *desc) {
	t.Helper()
	a, peer := pair(t)
	for i := range n {
		add(t, p, a.dup(), uint64(i))
	}
	return peer
}

func TestBatchGrows(t *testing.T) {
	const n = 3 * minBatch
	p := newPoller(t)
	peer := manyReady(t, p, n)
	seen := make([]int, n)
	for batch := 0; ; batch++ {
		room := len(p.raw)
		events := next(t, p, 0)
		if len(events) == 0 {
			break
		}
		if len(events) > room {
			t.Errorf("%d events in a batch of %d", len(events), room)
		}
		for _, e := range events {
			seen[e.Token]++
		}
	}
	for token, times := range seen {
		if times != 1 && (times == 0 || !repeats()) {
			t.Fatalf("token %d was reported %d times", token, times)
		}
	}
	if len(p.raw) <= minBatch {
		t.Errorf("room for %d events after full batches", len(p.raw))
	}
	for range 2 { // full batches again, until all fit
		peer.send("x")
		settle(t, p)
	}
	peer.send("x")
	if got := len(next(t, p, 0)); got != n {
		t.Errorf("a batch of %d, want all %d", got, n)
	}
}

func TestBatchIsBounded(t *testing.T) {
	p := newPoller(t)
	for range 20 {
		p.grow()
		if err := p.check(); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.raw) != maxBatch {
		t.Errorf("grew to %d, want %d", len(p.raw), maxBatch)
	}
}

// A wake is among the events that did not fit.
func TestWakeBehindFullBatch(t *testing.T) {
	p := newPoller(t)
	manyReady(t, p, 2*minBatch)
	p.Wake()
	seen := 0
	for seen < 2*minBatch || p.state.Load()&pending != 0 {
		seen += len(wakeReturns(t, p))
	}
	noWakeLeft(t, p)
}

// The returned batch stays valid after the growth that it caused.
func TestFullBatchStaysValid(t *testing.T) {
	p := newPoller(t)
	manyReady(t, p, 2*minBatch)
	events := next(t, p, 0)
	if len(events) != minBatch {
		t.Fatalf("%d events, want a full batch", len(events))
	}
	for _, e := range events {
		if e.Ready != Writable {
			t.Fatalf("event %v", e)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	p := newPoller(t)
	peer := manyReady(t, p, 10)
	settle(t, p)
	for name, f := range map[string]func(){
		"poll":         func() { p.Wait(0) },
		"sleep":        func() { p.Wait(time.Microsecond) },
		"poll, events": func() { peer.write(); p.Wait(0) },
		"wake":         func() { p.Wake(); p.Wake(); p.Wait(-1) },
	} {
		if n := testing.AllocsPerRun(50, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
