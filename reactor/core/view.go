package core

import (
	"cmp"
	"errors"
	"slices"
	"sync/atomic"
)

// A View is a copy of a loop's state that can be read anywhere; names are
// formatted only then.
type View struct {
	Now      int64 // the loop's time when the View was complete
	Tasks    []TaskView
	Holdings Holdings
}

// A TaskView is a copy of a task's state.
type TaskView struct {
	Name     TaskName
	Parent   uint64 // the task above it in the tree of scopes; 0: none
	Doing    Doing
	Wait     Wait  // if it waits
	Since    int64 // the loop time of the turn in which it began to wait
	Deadline int64 // the loop time at which a scope around it is done; 0: none
	Grouped  bool  // it belongs to a group or the like, which waits for it
}

// A Doing is what a task does.
type Doing uint8

const (
	Runs Doing = iota
	IsReady
	Waits
	Starts // it is queued, and has not begun
)

func (d Doing) String() string { return [...]string{"running", "ready", "waiting", "starting"}[d] }

// Loops returns the loops of the process that have not ended.
func Loops() []*Loop {
	if all := alive.loops.Load(); all != nil {
		return slices.Clone(*all)
	}
	return nil
}

// lastNumber is the number of the newest loop.
var lastNumber atomic.Uint64

// Number returns the loop's number, unique in the process. It may be called
// from anywhere.
func (l *Loop) Number() uint64 { return l.number }

// Main returns the name of the loop's main function; "" before it has begun. It may be
// called from anywhere.
func (l *Loop) Main() string {
	if n := l.title.Load(); n != nil {
		return n.Called()
	}
	return ""
}

// piece is how many tasks are viewed before the loop goes on: half a millisecond at most.
const piece = 256

// maxQueued is how many entries of the ready queue are viewed in one piece.
const maxQueued = 4096

var (
	// ErrUnseen is returned by [Loop.Look] if the loop has not taken a turn in
	// time.
	ErrUnseen = errors.New("reactor: the loop has taken no turn in time")

	// ErrOver is returned by [Loop.Look] if the loop has ended.
	ErrOver = errors.New("reactor: the loop has ended")

	errSimulated = errors.New("reactor: a simulated loop is not asked from outside, which would change what it does")
)

// Look returns a View of the loop. It may be called from anywhere. On
// goroutines other than the loop's it collects the View in small pieces,
// between which the loop goes on, and gives up when done is closed. Each task
// that lives throughout is seen once.
//
// The pieces go through the coroutines from the last to the first, because one
// that ends is replaced by the last one: so a task never moves to a position
// that is not visited any more. A task that was queued during the first piece
// has a coroutine by the second.
func (l *Loop) Look(done <-chan struct{}) (*View, error) {
	if l.OnThread() {
		k := looker{loop: l}
		for !k.piece(&k.tasks, 1<<30) {
		}
		return k.view(), nil
	}
	if l.Strict() {
		return nil, errSimulated
	}
	k := &looker{loop: l}
	looked := make(chan bool, 1)
	for {
		part := make([]TaskView, 0, piece)
		if !l.Post(func() {
			if !k.quit.Load() {
				looked <- k.piece(&part, piece)
			}
		}) {
			return nil, ErrOver
		}
		select {
		case over := <-looked:
			k.tasks = append(k.tasks, part...)
			if over {
				return k.view(), nil
			}
		case <-done:
			k.quit.Store(true)
			return nil, ErrUnseen
		}
	}
}

// A looker collects a View of a loop.
type looker struct {
	loop     *Loop
	quit     atomic.Bool // the caller has given up
	begun    bool
	left     int // workers not yet visited
	tasks    []TaskView
	holdings Holdings
	now      int64
}

// piece views some of the loop's tasks, and reports whether that was the last
// piece.
func (k *looker) piece(to *[]TaskView, most int) (over bool) {
	l := k.loop
	if !k.begun {
		k.begun, k.left = true, len(l.workers)
		if l.ready.n > maxQueued && most == piece {
			k.left = 1 << 30
			return false // it takes a turn until they all have begun
		}
	}
	k.left = min(k.left, len(l.workers))
	for ; k.left > 0 && most > 0; most-- {
		k.left--
		if w := l.workers[k.left]; w.task != nil {
			*to = append(*to, w.view())
		}
	}
	if k.left > 0 {
		return false
	}
	for i := range min(l.ready.n, maxQueued) {
		if j, ok := l.ready.at(i).(TaskJob); ok {
			*to = append(*to, j.Record().view(Starts))
		}
	}
	k.holdings, k.now = l.Holdings(), l.Now()
	return true
}

// view assembles the View. Of a task that was seen twice, because its coroutine
// moved, it keeps the last state.
func (k *looker) view() *View {
	v := &View{Now: k.now, Holdings: k.holdings, Tasks: k.tasks}
	slices.SortStableFunc(v.Tasks, func(a, b TaskView) int { return cmp.Compare(a.Name.ID, b.Name.ID) })
	n := 0
	for i := range v.Tasks {
		if i+1 == len(v.Tasks) || v.Tasks[i+1].Name.ID != v.Tasks[i].Name.ID {
			v.Tasks[n] = v.Tasks[i]
			n++
		}
	}
	v.Tasks = v.Tasks[:n]
	return v
}

func (w *Worker) view() TaskView {
	switch w.state {
	case parked:
		v := w.task.view(Waits)
		v.Wait, v.Since = w.waits(), w.since
		return v
	case ready:
		return w.task.view(IsReady)
	}
	return w.task.view(Runs)
}

func (t *Task) view(d Doing) TaskView {
	v := TaskView{Name: t.Name(), Doing: d}
	switch t.keeper.(type) {
	case nil, *Task, launched, *Dormant:
	default:
		v.Grouped = true
	}
	if p := t.parent(); p != nil {
		v.Parent = uint64(p.id)
	}
	at := &t.scope
	if w := t.scope.w; w != nil && w.where != nil {
		at = w.where
	} else if w != nil && w.scope != nil {
		at = w.scope
	}
	v.Deadline = at.until()
	return v
}

// parent returns the task in whose scopes t is; nil if there is none.
func (t *Task) parent() *Task {
	for s := t.scope.up; s != nil; s = s.up {
		if s.w != nil && s.w.task != nil {
			return s.w.task
		}
	}
	return nil
}

// until returns the earliest deadline of s and its outer scopes, in loop time;
// 0 if there is none.
func (s *Scope) until() (first int64) {
	for ; s != nil; s = s.up {
		if e := s.extra.Load(); e != nil {
			if at := e.until.Load(); at != 0 && (first == 0 || at < first) {
				first = at
			}
		}
	}
	return first
}
