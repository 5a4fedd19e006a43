package core

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A blocked loop can't report itself. The watchdog is a goroutine, one for all
// loops of the process, that checks each from time to time: a step that is seen
// at consecutive checks, half the allowed time apart, blocks its loop.
//
// It costs the loops only a count of their steps, which they store plainly and
// it reads without synchronization: a value that it misses it reads at its next
// check. While all loops sleep it sleeps too, and the first that wakes up wakes
// it.
var watchdog struct {
	mu     sync.Mutex
	loops  []*watched
	ended  chan struct{} // of the goroutine; nil while there is none
	kick   chan struct{}
	asleep atomic.Bool
	looks  atomic.Int64 // for tests
}

// A watched is the watchdog's record of a loop. Only its goroutine uses it,
// except for seen.
type watched struct {
	loop  *Loop
	every time.Duration // the time between two checks
	next  time.Time
	step  uint64    // at the last check
	since time.Time // the first check that saw this step
	looks int       // how many saw it
	last  Blockage  // told last
	told  bool      // reported that the loop is blocked
	idle  bool      // it sleeps, and has taken no step since the previous check
	seen  atomic.Pointer[sighting]
}

// A sighting is the stack of a step at the watchdog's last check.
type sighting struct {
	step  uint64
	stack []byte
}

// A Blockage is the watchdog's report of a loop that is blocked, or runs again
// after that.
type Blockage struct {
	ID    uint64 // the task's; 0 is a callback
	Task  string // its name; "" is a callback
	Took  time.Duration
	Over  bool
	Calls bool // other goroutines' calls wait for the loop
	Stack []byte
}

// watch makes the watchdog watch l until the returned function is called.
func (l *Loop) watch() (stop func()) {
	shortest := l.blocked
	if _, real := l.clock.(monotonic); real && l.slow > 0 && (shortest <= 0 || l.slow < shortest) {
		shortest = l.slow
	}
	if shortest <= 0 || l.sim != nil {
		return func() {}
	}
	w := &watched{loop: l, every: max(time.Millisecond, shortest/2)}
	l.sighted = &w.seen
	watchdog.mu.Lock()
	defer watchdog.mu.Unlock()
	watchdog.loops = append(watchdog.loops, w)
	if watchdog.ended == nil {
		watchdog.ended, watchdog.kick = make(chan struct{}), make(chan struct{}, 1)
		go watchLoops(watchdog.ended, watchdog.kick)
	} else {
		wakeWatchdog()
	}
	return func() { unwatch(w) }
}

// unwatch removes a loop from the watchdog, whose goroutine ends with the last
// one.
func unwatch(w *watched) {
	watchdog.mu.Lock()
	watchdog.loops = slices.DeleteFunc(watchdog.loops, func(o *watched) bool { return o == w })
	ended := watchdog.ended
	if len(watchdog.loops) > 0 {
		watchdog.mu.Unlock()
		return
	}
	watchdog.ended = nil
	wakeWatchdog()
	watchdog.mu.Unlock()
	<-ended
}

// wakeWatchdog makes the watchdog check at once. The caller holds the mutex, or
// has found it asleep.
func wakeWatchdog() {
	select {
	case watchdog.kick <- struct{}{}:
	default:
	}
}

// awake is called when a loop has slept. It wakes the watchdog, if that sleeps.
func (l *Loop) awake() {
	l.inbox.awake()
	if watchdog.asleep.Load() && watchdog.asleep.CompareAndSwap(true, false) {
		watchdog.mu.Lock()
		defer watchdog.mu.Unlock()
		if watchdog.ended != nil {
			wakeWatchdog()
		}
	}
}

// watchLoops is the watchdog's goroutine. It falls asleep when no loop has
// taken a step between two checks, so that a loop that sleeps often and briefly
// does not wake it each time.
func watchLoops(ended, kick chan struct{}) {
	defer close(ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		watchdog.mu.Lock()
		if watchdog.ended != ended {
			watchdog.mu.Unlock()
			return
		}
		loops := slices.Clone(watchdog.loops)
		watchdog.mu.Unlock()
		watchdog.looks.Add(1)
		sleep, idle := lookAt(loops)
		if idle {
			watchdog.asleep.Store(true)
			if !slices.ContainsFunc(loops, (*watched).isUp) {
				<-kick
				continue
			}
			watchdog.asleep.Store(false) // a loop went on meanwhile
		}
		timer.Reset(sleep)
		select {
		case <-timer.C:
		case <-kick:
		}
	}
}

func (w *watched) isUp() bool { return !w.loop.inbox.asleep.Load() }

// lookAt checks the loops whose time has come. It returns the time until the
// next check, and whether all loops sleep and have done so since the previous
// check.
func lookAt(loops []*watched) (sleep time.Duration, idle bool) {
	sleep, idle = time.Hour, true
	for _, w := range loops {
		now := time.Now()
		if !now.Before(w.next) {
			w.look(now)
			w.next = now.Add(w.every)
		}
		idle = idle && w.idle && !w.isUp()
		sleep = min(sleep, w.next.Sub(now))
	}
	return max(sleep, time.Millisecond), idle
}

// look checks a loop.
func (w *watched) look(now time.Time) {
	l := w.loop
	step := l.currentStep()
	asleep := !w.isUp()
	w.idle = asleep && step == w.step
	if asleep || step != w.step || w.since.IsZero() {
		if w.told {
			w.told = false
			if l.slow <= 0 { // else its end tells more exactly
				l.exhibits.wasSlow(SlowStep{At: now, Task: w.last.Task, Took: now.Sub(w.since), Stack: w.last.Stack})
			}
			l.facade.Blocked(Blockage{Took: now.Sub(w.since), Over: true})
		}
		w.step, w.since, w.looks = step, now, 0
		return
	}
	w.looks++
	took := now.Sub(w.since)
	if w.looks < 2 || w.told {
		return
	}
	id, task, function := l.currentTask()
	if l.slow > 0 && took >= l.slow && w.seen.Load().before(step) {
		w.seen.Store(&sighting{step, blockedStack(function)})
	}
	if l.blocked <= 0 || took < w.allowed() || l.currentStep() != step {
		return
	}
	w.told = true
	w.last = Blockage{ID: id, Task: task, Took: took, Calls: !l.inbox.empty(), Stack: blockedStack(function)}
	l.facade.Blocked(w.last)
}

// allowed is how long the step may last. Between two tasks the loop itself runs, and
// rather waits for a processor than blocks: a report then would name no task, and the
// task that follows in the same step would get none.
func (w *watched) allowed() time.Duration {
	if w.loop.hostRuns() {
		return 4 * w.loop.blocked
	}
	return w.loop.blocked
}

func (s *sighting) before(step uint64) bool { return s == nil || s.step != step }

// currentStep returns the number of the step that runs.
//
//go:norace
func (l *Loop) currentStep() uint64 { return l.steps }

// Standing returns what blocks the loop's thread, if one step lasts throughout
// the call. It may be called from anywhere, and takes some milliseconds. Took
// counts from the beginning of the turn.
func (l *Loop) Standing() (b Blockage, ok bool) {
	step := l.currentStep()
	time.Sleep(2 * time.Millisecond)
	id, task, function := l.currentTask()
	if l.inbox.asleep.Load() || l.finished.Load() || l.hostRuns() {
		return b, false
	}
	b = Blockage{ID: id, Task: task, Calls: !l.inbox.empty(), Stack: blockedStack(function)}
	if _, real := l.clock.(monotonic); real {
		b.Took = time.Duration(l.Now() - l.currentTurn())
	}
	return b, l.currentStep() == step
}

// hostRuns reports whether neither a task nor a callback runs: the loop is in a
// turn, or is not being driven.
//
//go:norace
func (l *Loop) hostRuns() bool { return l.cur == l.host }

// currentTurn returns when the turn began.
//
//go:norace
func (l *Loop) currentTurn() int64 { return l.turnAt }

// currentTask returns the number and name of the running task, and its function's name.
// All are empty for a callback, and also if the step ended meanwhile, because
// the values are then unreliable.
//
//go:norace
func (l *Loop) currentTask() (n uint64, name, function string) {
	step := l.steps
	if l.cur == nil || l.cur.task == nil {
		return 0, "", ""
	}
	t := l.cur.task
	id, given, body := t.id, givenName(t), t.body
	if l.currentStep() != step {
		return 0, "", ""
	}
	if body != nil && reflect.TypeOf(body).Kind() == reflect.Func {
		function = shortName(runtime.FuncForPC(entry(body)).Name())
	}
	switch {
	case given != "":
		return uint64(id), fmt.Sprintf("task %d (%s)", id, given), function
	case function != "":
		return uint64(id), fmt.Sprintf("task %d (%s)", id, function), function
	}
	return uint64(id), fmt.Sprintf("task %d", id), ""
}

// givenName returns a copy of the name that was set for a task.
//
//go:norace
func givenName(t *Task) string {
	e := *(**extra)(unsafe.Pointer(&t.scope.extra))
	if e == nil {
		return ""
	}
	name := *(**string)(unsafe.Pointer(&e.name))
	if name == nil {
		return ""
	}
	b := make([]byte, len(*name))
	for i := range b {
		b[i] = (*name)[i]
	}
	return string(b)
}

// entry returns the address of the code of a function, as reflect.Value.Pointer does.
//
//go:norace
func entry(f any) uintptr {
	words := (*[2]**uintptr)(unsafe.Pointer(&f)) // its type, and the closure
	return uintptr(unsafe.Pointer(*words[1]))
}

// blockedStack returns the stacks of the goroutines that block loops' threads,
// from a goroutine profile: that stops the world for a fraction of the time of
// a dump of all goroutines, because it groups parked coroutines. Of several
// loops it returns the stack of the one that runs the function, if there is
// one.
func blockedStack(function string) []byte {
	var b bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&b, 1)
	var all, of [][]byte
	for record := range bytes.SplitSeq(b.Bytes(), []byte("\n\n")) {
		s := loopStack(record)
		if s == nil {
			continue
		}
		all = append(all, s)
		if function != "" && bytes.Contains(s, []byte(function)) {
			of = append(of, s)
		}
	}
	if len(of) > 0 {
		all = of
	}
	return bytes.Join(all, []byte("\nor, of another loop:\n"))
}

// loopStack returns the frames of a goroutine that runs a task or a callback,
// down to that function. It returns nil for other goroutines, for a parked
// coroutine, and for a sleeping loop.
func loopStack(record []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(record) {
		frame, ok := bytes.CutPrefix(line, []byte("#\t0x"))
		if !ok {
			continue // counts and labels
		}
		fields := strings.Split(strings.TrimSpace(string(frame)), "\t")
		if len(fields) < 3 {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSpace(fields[1]), "+0x")
		place := strings.TrimSpace(fields[len(fields)-1])
		switch {
		case out.Len() == 0 && strings.HasPrefix(name, "iter.Pull"), name == pollName:
			return nil
		case name == workerName, name == driveName:
			return out.Bytes()
		}
		out.WriteString(name + "\n\t" + place + "\n")
	}
	return nil
}

var (
	workerName = qualified((*Worker).main)
	driveName  = qualified((*Loop).drive)
	pollName   = qualified((*Loop).poll)
)
