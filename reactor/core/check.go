package core

import (
	"errors"
	"fmt"
)

// Check returns an error if an invariant of the loop does not hold, or if a
// loop that has ended still holds resources. Simulations call it, since they
// try a program in many orders. Its time grows with the number of tasks. The
// caller must be on the loop, or the loop must have ended.
func (l *Loop) Check() error {
	msg := l.checkParts()
	if msg == "" && l.finished.Load() {
		msg = l.checkEnd()
	}
	if msg == "" {
		return nil
	}
	return errors.New("reactor: a mistake of the package's own: " + msg)
}

// Holdings counts what a loop holds at a moment.
type Holdings struct {
	Tasks   int // not ended
	Workers int // coroutines, in use or not
	Idle    int // workers not in use
	Ready   int // tasks and callbacks in the queue
	Timers  int
	FDs     int // registered with the poller
	FDWaits int // tasks and callbacks that wait for an FD
	Threads int // goroutines that work for tasks
	Outside int // other things that may wake a task
}

// Holdings returns what the loop holds. It may be called where Check may.
func (l *Loop) Holdings() Holdings {
	timers := l.wheel.Len()
	if l.closer.Active() {
		timers--
	}
	return Holdings{
		Tasks: l.live, Workers: len(l.workers), Idle: l.idlers, Ready: l.ready.n, Timers: timers,
		FDs: l.fds.n, FDWaits: l.ioWaits, Threads: l.threads, Outside: l.outsiders,
	}
}

// checkParts checks the invariants that hold at any moment.
func (l *Loop) checkParts() string {
	for _, msg := range []string{l.ready.check(), l.root.check(), l.detached.check(), l.shielded.check()} {
		if msg != "" {
			return msg
		}
	}
	queued, tasks := l.countQueued()
	idlers := make(map[*Worker]bool)
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
		if msg := w.check(queued[w], idlers[w]); msg != "" || w.index != i {
			return fmt.Sprintf("worker %d with index %d, state %d: %s", i, w.index, w.state, msg)
		}
	}
	if tasks != l.live {
		return fmt.Sprintf("loop: %d tasks found, %d counted", tasks, l.live)
	}
	if l.ioWaits < 0 || l.threads < 0 || l.outsiders < 0 {
		return "loop: a count is out of range"
	}
	return ""
}

// countQueued returns how often each worker is in the queue, and how many tasks
// in it have not begun.
func (l *Loop) countQueued() (queued map[*Worker]int, tasks int) {
	queued = make(map[*Worker]int)
	for i := range l.ready.n {
		switch r := l.ready.at(i).(type) {
		case *Worker:
			queued[r]++
		case TaskJob:
			tasks++
		}
	}
	return queued, tasks
}

// check checks a worker. queued is how often it is in the ready queue, and
// idler whether it is in the idle list.
func (w *Worker) check(queued int, idler bool) string {
	if msg := w.checkRegions(); msg != "" {
		return msg
	}
	if idler != (w.state == idle) {
		return "the idle list disagrees"
	}
	if w.state == running && w != w.loop.cur {
		return "running, but not the current one"
	}
	switch w.state {
	case idle:
		if w.task != nil || queued != 0 || w.shadow != nil {
			return "idle, but has something to do"
		}
	case parked:
		return w.checkParked(queued)
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

func (w *Worker) checkParked(queued int) string {
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
		return q.Check()
	}
	return ""
}

// checkEnd checks that a loop that has ended holds nothing. Timers may be left:
// they have no effect.
func (l *Loop) checkEnd() string {
	h := l.Holdings()
	h.Timers, h.Ready = 0, 0
	if h != (Holdings{}) {
		return fmt.Sprintf("after the loop's end it has %+v", h)
	}
	if l.leaving != nil || l.running != 0 {
		return "after the loop's end it runs"
	}
	for _, s := range []*Scope{&l.root, &l.detached, &l.shielded} {
		if e := s.extra.Load(); s.kids != nil || e != nil && e.guests.first != nil {
			return "after the loop's end a scope or a guest is left"
		}
	}
	for i := range l.ready.n {
		switch r := l.ready.at(i).(type) {
		case *Callback, *TimedCall:
		default:
			return fmt.Sprintf("after the loop's end the ready queue has %v", r)
		}
	}
	return ""
}

// checkRegions checks the invariants of region and body, for the regions
// reachable from w.
func (w *Worker) checkRegions() string {
	if msg := checkRegionList(&w.inner, w); msg != "" {
		return msg
	}
	seen := make(map[*Body]bool)
	for b := w.body; b != nil; b = b.under {
		if seen[b] || b.w != w || b.inner != nil {
			return "a body in its worker's list twice, or not as one that runs"
		}
		seen[b] = true
		if msg := checkRegionList(&b.driver, w); msg != "" {
			return msg
		}
	}
	switch {
	case w.task == nil && (w.inner != nil || w.body != nil) && w.state == idle:
		return "idle, but in a region"
	case w.task != nil && w.scope != w.innermost():
		return "its scope is not the innermost one"
	}
	return ""
}

func checkRegionList(list **Region, w *Worker) string {
	for at := list; *at != nil; at = &(*at).outer {
		if r := *at; r.at != at || r.s.w != w {
			return "a region that does not know where it stands"
		}
	}
	return ""
}
