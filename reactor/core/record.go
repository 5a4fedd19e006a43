package core

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/flight"
)

// A recorder writes down what happens on a loop. The loop's thread alone writes; others
// may make copies.
//
// A step is one record, which is written as it ends; so is a turn. What a step or turn did
// stands before it. The time is read twice a turn and once a step: all else has the time
// of what it is part of. A task that the kernel's report wakes has no record of that,
// since it waits for the kernel, and runs next.
//
// Invariants: what and id are those of the step under way, if open is set; mu guards the
// names, which the loop's thread alone adds.
type recorder struct {
	ring  flight.Ring
	clock Clock // what the ticks are of; nil: flight.Ticks
	base  int64 // of ticks
	start time.Time
	since time.Time // start, for the real clock
	now   int64     // when the step began, or the kernel has answered
	began int64     // when the turn did
	kind  flight.Kind
	id    uint32
	open  bool // a step is under way
	quiet bool // what the kernel reports is being dispatched, or no turn has begun yet
	noted bool // and has woken a task
	slept bool

	types [64]waitType // by their hash
	texts [64]waitText

	mu        sync.Mutex
	waits     []string // from flight.FirstNamed on
	functions []string
	codes     map[unsafe.Pointer]uint32 // of what tasks run: a function's code, or a type
	given     givenNames
}

// A waitType is a type of what tasks wait for. Each text of a string's type is recorded
// as something of its own.
type waitType struct {
	itab unsafe.Pointer
	kind flight.Kind
	text bool
}

type waitText struct {
	text string
	kind flight.Kind
}

// Record begins to record what happens, in at most so many bytes, unless that is done
// already. Each Record is ended by a StopRecording. Both must be called on the loop.
func (l *Loop) Record(bytes int) {
	if l.recorders++; l.recorders > 1 {
		return
	}
	r := &recorder{quiet: true, codes: make(map[unsafe.Pointer]uint32), functions: []string{""}}
	r.ring.Init(bytes)
	if _, real := l.clock.(monotonic); real {
		r.since, r.base = time.Now(), flight.Ticks()
		r.start = r.since
	} else {
		r.clock, r.base = l.clock, l.Now()
		r.start = l.WallOf(r.base, &l.root)
	}
	for _, w := range l.workers {
		if w.task != nil {
			r.nameGiven(w.task)
		}
	}
	l.rec, l.watched = r, true
	l.recording.Store(r)
}

// StopRecording ends what a Record began. With the last one all that was recorded is
// forgotten.
func (l *Loop) StopRecording() {
	if l.recorders--; l.recorders > 0 {
		return
	}
	l.rec = nil
	l.watched = l.wary
	l.recording.Store(nil)
}

// Recording reports whether the loop records what happens. It may be called from
// anywhere.
func (l *Loop) Recording() bool { return l.recording.Load() != nil }

func (r *recorder) ticks() int64 {
	if r.clock == nil {
		return flight.Ticks() - r.base
	}
	return r.clocked()
}

func (r *recorder) clocked() int64 { return int64(r.clock.Now()) - r.base }

func (r *recorder) put(k flight.Kind, what uint64) { r.ring.Put(r.now, k, what) }

// turnBegins is called when a turn begins.
func (r *recorder) turnBegins() {
	r.now = r.ticks()
	r.began, r.slept, r.quiet = r.now, false, false
	r.kind, r.id, r.open = flight.Asks, 0, true
}

// turnEnds is called when a turn has found all that are ready.
func (r *recorder) turnEnds(ready int) {
	kind := flight.Turn
	if r.slept {
		kind = flight.Slept
	}
	r.open = false
	r.ring.Put(r.began, kind, flight.TurnOf(r.now-r.began, ready))
	r.ring.Publish()
}

// change is called when w gives up the thread, and j, if that is not nil, gets it. It is
// one function, since it is called for each step, and calls others last, since what has
// to outlive a call costs more.
func (r *recorder) change(w *Worker, j Job) {
	if r.open {
		kind, id, detail := r.kind, r.id, uint32(0)
		if t := w.task; t != nil {
			if kind == flight.Served { // it goes on as other tasks do
				r.put(flight.Serves, flight.Two(t.id, id))
			}
			kind, id = flight.Yields, t.id
			if w.state == parked {
				if f, ok := w.what.(*FD); ok {
					kind, detail = flight.ForRead, uint32(f.sysfd)
					if w.node.list != &f.read.waiters {
						kind = f.waitsTo(w.node.list)
					}
				} else {
					kind, detail = r.waitFor(w.what)
				}
			}
		} else if kind == flight.Runs {
			kind = flight.Over
		}
		r.put(kind, flight.Two(id, detail))
	}
	if next, ok := j.(*Worker); ok {
		r.kind, r.id, r.open = flight.Runs, next.task.id, true
	} else if r.begins(j); !r.open {
		return
	}
	if r.now = flight.Ticks() - r.base; r.clock != nil {
		r.now = r.clocked()
	}
}

// begins notes whose step begins: not that of a task which goes on.
func (r *recorder) begins(j Job) {
	r.open = true
	switch j := j.(type) {
	case nil:
		r.open = false
	case *Dormant:
		r.kind, r.id = flight.Served, uint32(j.fd.sysfd)
	case TaskJob:
		r.kind, r.id = flight.Runs, j.Record().id
	default:
		r.kind, r.id = flight.Calls, 0
	}
}

// waitsTo returns what a task waits to do that stands in one of f's lists.
func (f *FD) waitsTo(list *WaitList) flight.Kind {
	switch list {
	case &f.write.waiters:
		return flight.ForWrite
	case &f.queue:
		return flight.ForTurn
	}
	return flight.ForRead
}

// waitFor returns what a task waits for.
func (r *recorder) waitFor(what fmt.Stringer) (flight.Kind, uint32) {
	if t, ok := what.(*Task); ok {
		return flight.ForTask, t.id
	}
	return r.kindOf(what), 0
}

// kindOf returns the number of what tasks wait for.
func (r *recorder) kindOf(what fmt.Stringer) flight.Kind {
	words := (*[2]unsafe.Pointer)(unsafe.Pointer(&what))
	t := &r.types[uintptr(words[0])>>5%uintptr(len(r.types))]
	if t.itab != words[0] {
		v := reflect.ValueOf(what)
		*t = waitType{itab: words[0], text: v.Kind() == reflect.String}
		if !t.text {
			t.kind = r.newWait(sortOf(what))
		}
	}
	if !t.text {
		return t.kind
	}
	text := *(*string)(words[1])
	data := unsafe.StringData(text)
	x := &r.texts[uintptr(unsafe.Pointer(data))>>3%uintptr(len(r.texts))]
	if unsafe.StringData(x.text) != data || len(x.text) != len(text) || x.kind == 0 {
		*x = waitText{text, r.newWait(text)}
	}
	return x.kind
}

// sortOf returns what all that tasks wait for and is of the type of what has in common.
func sortOf(what fmt.Stringer) string {
	if d, ok := what.(Describer); ok {
		var w Wait
		if d.Describe(&w); w.For != "" {
			return strings.TrimSuffix(strings.TrimSuffix(w.For, " held by"), ":")
		}
		return "tasks"
	}
	return reflect.TypeOf(what).String()
}

// newWait returns the number of a text, which it gets now unless it has one.
func (r *recorder) newWait(text string) flight.Kind {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, known := range r.waits {
		if known == text {
			return flight.FirstNamed + flight.Kind(i)
		}
	}
	if len(r.waits) > 255-int(flight.FirstNamed) {
		return flight.ForOther
	}
	r.waits = append(r.waits, text)
	return flight.FirstNamed + flight.Kind(len(r.waits)-1)
}

// woke is called when a task becomes ready.
func (r *recorder) woke(t *Task, why Wakeup) {
	if r.quiet {
		r.noted = true
		return
	}
	r.put(flight.Woken, flight.Two(t.id, uint32(why)))
}

// made is called when t was made.
func (r *recorder) made(t *Task) {
	r.put(flight.Made, flight.Two(t.id, r.codeOf(t.body)))
}

// codeOf returns the number of what a task runs.
func (r *recorder) codeOf(body any) uint32 {
	words := (*[2]unsafe.Pointer)(unsafe.Pointer(&body))
	key := words[0]
	isFunc := reflect.TypeOf(body).Kind() == reflect.Func
	if isFunc {
		key = *(*unsafe.Pointer)(words[1])
	}
	if code, ok := r.codes[key]; ok {
		return code
	}
	name := reflect.TypeOf(body).String()
	if isFunc {
		name = FuncName(body)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	code := uint32(len(r.functions))
	r.codes[key] = code
	r.functions = append(r.functions, name)
	return code
}

// ended is called when t is over. A name that it was given is all that is left to say
// which task it was.
func (r *recorder) ended(t *Task) {
	outcome := flight.Well
	switch {
	case t.err == nil:
	case t.echo:
		outcome = flight.Cancelled
	default:
		outcome = flight.Failed
		if kind, _ := t.scope.loop.facade.Classify(t.err); kind == PanickedError {
			outcome = flight.Panicked
		}
	}
	r.put(flight.Ended, flight.Two(t.id, uint32(outcome)))
}

// recordedTurn takes a turn that is recorded.
func (l *Loop) recordedTurn(r *recorder) {
	r.turnBegins()
	if l.sim == nil {
		l.turn()
	} else {
		l.simulatedTurn()
	}
	r.turnEnds(l.ready.n)
}

// recordEvents dispatches what the kernel reports.
func (l *Loop) recordEvents(events []eddy.Event, slept bool) {
	r := l.rec
	r.now, r.slept, r.quiet = r.ticks(), slept, true
	for _, e := range events {
		if f := l.fds.of(e); f != nil {
			r.noted = false
			if f.notify(e.Ready); !r.noted {
				r.put(flight.Readied, flight.Two(uint32(f.sysfd), uint32(e.Ready)))
			}
		}
	}
	r.quiet = false
}
