package core

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A meter counts what the loop does, and when it sleeps. The loop is its only writer, so
// that to count is to store; any goroutine may read. The clock is read as a turn begins
// and before the loop may sleep, not in between.
//
// What a turn has found ready has run when it ends: its length is the lag of each of its
// steps at the most, and of what becomes ready meanwhile.
//
// Invariants: at is when the loop last published something or woke up, or, while it
// sleeps, the complement of when it fell asleep. A mark that changes has an odd version
// meanwhile, and another one afterwards.
type meter struct {
	at     atomic.Int64
	slept  atomic.Int64
	turns  atomic.Uint64
	steps  atomic.Uint64
	timers atomic.Int64
	lagSum atomic.Int64
	lags   [lagBuckets]atomic.Uint64
	marked int64 // when the last second was marked
	rings  [len(windows)]ring
}

// windows are the times that metrics look back.
var windows = [...]time.Duration{10 * time.Second, time.Minute, 10 * time.Minute}

// parts is into how many parts a window is divided.
const parts = 10

// A ring is the marks of the last parts of a window.
type ring struct {
	marks [parts + 1]atomic.Pointer[mark]
	n     int          // marks made
	at    int64        // of the last
	max   atomic.Int64 // the greatest lag since
}

// A mark is what had been counted at a moment.
type mark struct {
	version atomic.Uint32
	at      atomic.Int64
	slept   atomic.Int64
	turns   atomic.Uint64
	steps   atomic.Uint64
	max     atomic.Int64              // the greatest lag since the mark before
	lags    [lagBuckets]atomic.Uint32 // the low bits
}

// lagBuckets are four for each doubling, from a microsecond to four minutes.
const lagBuckets = 108

// bucketOf returns the bucket of a lag.
func bucketOf(lag int64) int {
	v := uint64(max(0, lag)) >> 10
	if v < 4 {
		return int(v)
	}
	e := bits.Len64(v) - 1
	return min(lagBuckets-1, (e-1)*4+int(v>>(e-2))&3)
}

// bucketEnd returns the least lag that is above a bucket.
func bucketEnd(i int) time.Duration {
	if i < 4 {
		return time.Duration(i+1) << 10
	}
	return time.Duration(4+i&3+1) << (i/4 - 1) << 10
}

// begin is called as the loop begins.
func (m *meter) begin(now int64) {
	m.at.Store(now)
	m.marked = now
	for i := range m.rings {
		m.mark(&m.rings[i], now)
	}
}

// count counts turns, and the steps that were taken in them.
func (m *meter) count(lag int64, turns, steps uint64) {
	m.turns.Store(m.turns.Load() + turns)
	if steps == 0 {
		return
	}
	m.steps.Store(m.steps.Load() + steps)
	m.lagSum.Store(m.lagSum.Load() + lag*int64(steps))
	b := &m.lags[bucketOf(lag)]
	b.Store(b.Load() + steps)
	if lag > m.rings[0].max.Load() { // else it is none of the others' either
		for i := range m.rings {
			if r := &m.rings[i]; lag > r.max.Load() {
				r.max.Store(lag)
			}
		}
	}
}

// turnOver counts the turn that is over now, and those before in which the clock was not
// read. The one that begins has counted itself as a step.
func (l *Loop) turnOver(now int64) {
	turns := uint64(l.unread + 1)
	l.meter.count((now-l.turnAt)/int64(turns), turns, l.steps-l.stepsBefore-turns)
	l.stepsBefore, l.unread = l.steps, 0
}

// rested notes that the loop was in a call that may sleep.
func (m *meter) rested(from, to int64) {
	m.slept.Store(m.slept.Load() + to - from)
	m.at.Store(to)
}

// publish lets others see what the loop has, and that it may sleep from now on, or does
// not.
func (l *Loop) publish(now int64, sleeps bool) {
	m := &l.meter
	if n := int64(l.wheel.Len()); n != m.timers.Load() {
		m.timers.Store(n)
	}
	if sleeps {
		m.at.Store(^now)
	} else {
		m.at.Store(now)
	}
	if now-m.marked >= int64(time.Second) {
		m.marked = now
		for i := range m.rings {
			if r := &m.rings[i]; now-r.at >= int64(windows[i]/parts) {
				m.mark(r, now)
			}
		}
	}
}

// mark adds a mark to a ring.
func (m *meter) mark(r *ring, now int64) {
	slot := &r.marks[r.n%len(r.marks)]
	x := slot.Load()
	if x == nil {
		x = new(mark)
	}
	x.version.Add(1)
	x.at.Store(now)
	x.slept.Store(m.slept.Load())
	x.turns.Store(m.turns.Load())
	x.steps.Store(m.steps.Load())
	x.max.Store(r.max.Load())
	for i := range x.lags {
		x.lags[i].Store(uint32(m.lags[i].Load()))
	}
	x.version.Add(1)
	slot.Store(x)
	r.n++
	r.at = now
	r.max.Store(0)
}

// Metrics are what a loop has done and has, at a moment. Counters only grow.
type Metrics struct {
	Uptime time.Duration // by the loop's clock
	Asleep time.Duration // of it, in calls of the kernel that may wait
	Turns  uint64
	Steps  uint64 // tasks and callbacks that were run or resumed
	Posts  uint64 // calls from other goroutines, as by Loop.Post
	Wakes  uint64 // times that another goroutine had to wake the loop for it

	Ready   int // tasks and callbacks that are to run
	Timers  int
	FDs     int
	Tasks   int
	Threads int // goroutines that work for tasks

	Coroutines      int   // those in use and the pooled ones
	Pooled          int   // of them, those that wait for a task
	CoroutineMemory int64 // of the pooled ones, in bytes, if none has grown its stack

	// Lag is of all steps since the loop began.
	Lag Histogram

	// Windows are the last ten seconds, the last minute and the last ten minutes.
	Windows [len(windows)]Window
}

// A Window is how a loop has done of late.
type Window struct {
	Over           time.Duration
	Utilization    float64 // the share of the time that it was not asleep
	TurnsPerSecond float64
	StepsPerSecond float64
	Lag            Histogram
	MaxLag         time.Duration
}

// A Histogram counts steps by how long they had to wait, at the most, from being ready
// to running.
type Histogram struct {
	Counts [lagBuckets]uint64 // by LagBound
	Sum    time.Duration      // of all; 0 in a Window
}

// LagBound returns the least lag that is not counted in a Histogram's i-th place.
func LagBound(i int) time.Duration { return bucketEnd(i) }

// Total returns the number of steps counted.
func (h *Histogram) Total() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Quantile returns a bound that the share q of all steps has not exceeded, which may be a
// quarter too high; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	left := q * float64(h.Total())
	for i, c := range h.Counts {
		if left -= float64(c); c > 0 && left <= 0 {
			return bucketEnd(i)
		}
	}
	return 0
}

// pooledBytes is what an idle coroutine takes that has never grown its stack.
const pooledBytes = 2048 + 625

// Metrics returns how the loop does. It may be called from any goroutine, and the loop
// takes no notice: it is as of the end of the last turn.
func (l *Loop) Metrics() Metrics {
	m := &l.meter
	at, slept := m.at.Load(), m.slept.Load()
	for again := m.at.Load(); again != at; again = m.at.Load() {
		at, slept = again, m.slept.Load()
	}
	asleep := at < 0
	if asleep {
		at = ^at
	}
	now := at
	if _, real := l.clock.(monotonic); real {
		now = max(at, l.Now())
	}
	if asleep {
		slept += now - at
	}
	x := Metrics{
		Uptime: time.Duration(now), Asleep: time.Duration(slept),
		Turns: m.turns.Load(), Steps: m.steps.Load(), Wakes: l.inbox.wakes.Load(), Timers: int(m.timers.Load()),
	}
	l.tally(&x)
	x.CoroutineMemory = int64(x.Pooled) * pooledBytes
	x.Lag.Sum = time.Duration(m.lagSum.Load())
	for i := range m.lags {
		x.Lag.Counts[i] = m.lags[i].Load()
	}
	var standing int64 // for how long the turn lasts that is not over
	if !asleep {
		standing = now - at
	}
	for i := range windows {
		x.Windows[i] = m.rings[i].window(windows[i], now, slept, standing, &x)
	}
	return x
}

// tally reads the counts that the loop has anyway, as the watchdog reads steps: without
// synchronization, so that they cost the loop nothing. Each is a word.
//
//go:norace
func (l *Loop) tally(x *Metrics) {
	x.Posts = uint64(l.inbox.taken)
	x.Ready, x.FDs, x.Tasks, x.Threads = l.ready.n, l.fds.n, l.live, l.threads
	x.Coroutines, x.Pooled = len(l.workers), l.idlers
}

// window returns what has happened since the first mark in a time before now.
func (r *ring) window(over time.Duration, now, slept, standing int64, x *Metrics) Window {
	w := Window{Over: over, MaxLag: time.Duration(max(standing, r.max.Load()))}
	var first *mark
	var version uint32
	for i := range r.marks {
		if k := r.marks[i].Load(); k != nil && now-k.at.Load() <= int64(over) && (first == nil || k.at.Load() < first.at.Load()) {
			first, version = k, k.version.Load()
		}
	}
	if first == nil { // it has slept throughout, or stood
		if standing > 0 {
			w.Utilization = 1
		} else {
			w.MaxLag = 0
		}
		return w
	}
	from, rested, turns, steps := first.at.Load(), first.slept.Load(), first.turns.Load(), first.steps.Load()
	for i := range r.marks {
		if k := r.marks[i].Load(); k != nil && k.at.Load() > from {
			w.MaxLag = max(w.MaxLag, time.Duration(k.max.Load()))
		}
	}
	for i := range w.Lag.Counts {
		w.Lag.Counts[i] = uint64(uint32(x.Lag.Counts[i]) - first.lags[i].Load())
	}
	if version&1 != 0 || first.version.Load() != version {
		return r.window(over, now, slept, standing, x) // it was made anew meanwhile, as happens once in a second
	}
	passed := now - from
	if passed <= 0 {
		return w
	}
	w.Utilization = min(1, max(0, 1-float64(slept-rested)/float64(passed)))
	perSecond := float64(time.Second) / float64(passed)
	w.TurnsPerSecond = float64(x.Turns-min(x.Turns, turns)) * perSecond
	w.StepsPerSecond = float64(x.Steps-min(x.Steps, steps)) * perSecond
	return w
}
