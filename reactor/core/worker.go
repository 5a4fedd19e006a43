package core

import (
	"fmt"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/timerwheel"
)

// A Worker is a coroutine that runs tasks and callbacks, one after the other,
// and all that a task needs while it is parked. Workers are pooled: a task
// gets one when it starts, so one that has grown its stack serves many tasks.
//
// Whoever gives up the thread, a parking task or a worker out of work, switches
// straight to its successor, the next in the queue: one switch from task to task,
// none at all when a task is its own successor. Only when nobody is left of
// a turn does it switch to the host, which takes the next one (see drive): what a
// turn calls is deep, and would make the stack of every task that happens to
// take one grow from two kilobytes to four.
//
// Invariants:
//   - l.cur is the worker that runs, l.running its goroutine;
//   - state is parked exactly while its task waits for wake, and until wake
//     the task stands in no ready queue; after it, in exactly one place of it;
//   - where is set while parked, and guestOf when another worker executes it.
type Worker struct {
	Weight int // for primitives: what the task asks for, or gets, where that is a number

	co   coro.Coroutine
	loop *Loop
	self uintptr // its goroutine
	task *Task   // whose function it runs; nil in a callback, and while idle
	job  Job

	state  state
	woken  Wakeup
	budget uint8 // I/O operations until the task must let others run
	spins  uint8 // attempts in a row that failed at once

	ignorer uint32 // the task of which ignored counts
	ignored int32  // awaits in a row that failed because their ctx was done
	where   *Scope
	scope   *Scope // the innermost one that the task is in
	inner   *Region
	body    *Body // the innermost generator's body that runs here
	what    fmt.Stringer
	since   int64 // when the turn began in which it parked
	node    Waiter
	spare   *Task // for a Dormant's next run: at rest, in the tree of scopes still
	timer   timerwheel.Timer[Expirer]

	guestOf              *guestList
	nextGuest, prevGuest *Worker
	shadow               *Scope // follows the foreign ctx that the task awaited under last
	nextIdle             *Worker
	index                int // its place in l.workers
}

type state uint8

const (
	idle state = iota
	running
	parked
	ready
	dying // its goroutine is in runtime.Goexit
	gone
)

const (
	WokenDone     Wakeup = iota // by what it waited for
	WokenTimer                  // its time has come
	WokenCanceled               // its scope is done
	WokenClosed                 // what it waited for is no more
	wokenCut                    // the loop ends, and it would not stop
)

// maxIdle bounds the coroutines kept for reuse, about 3 KB each.
const maxIdle = 1024

func (l *Loop) newWorker() *Worker {
	w := &Worker{loop: l}
	w.node.w = w
	w.timer.Value = w
	w.co.Init(w.main)
	w.index = len(l.workers)
	l.workers = append(l.workers, w)
	return w
}

// worker returns one that waits for a job.
func (l *Loop) worker(job Job) *Worker {
	w := l.idle
	if w == nil {
		w = l.newWorker()
	} else {
		l.idle, w.nextIdle = w.nextIdle, nil
		l.idlers--
	}
	w.job = job
	return w
}

// main is the worker's coroutine. It ends by setting l.cur to whoever runs
// next: its goroutine's end wakes the one that sleeps in its seat, and
// that one passes control on (see switchTo).
func (w *Worker) main() {
	l := w.loop
	w.self = coro.Self()
	l.running = w.self
	l.scratch.watchFaults()
	for w.job != nil {
		if GoroutineLabels() != nil || l.labelled.Load() {
			w.relabel()
		}
		w.run()
		w.job = nil
		r := l.successor()
		if to, ok := r.(*Worker); ok {
			w.retire(to)
		} else if r != nil {
			w.job = r
			w.state = running
		} else {
			w.retire(l.host)
		}
		if w.state == gone {
			return
		}
	}
	w.exit(l.host)
}

// retire makes w idle and switches to the next one. When enough are idle, w
// exits instead.
func (w *Worker) retire(to *Worker) {
	l := w.loop
	w.state, w.what = idle, nil
	if l.idlers >= maxIdle {
		w.exit(to)
		return
	}
	l.idlers++
	w.nextIdle, l.idle = l.idle, w
	l.switchTo(w, to)
}

func (w *Worker) exit(to *Worker) {
	w.state = gone
	w.dropSpare()
	all := w.loop.workers
	last := len(all) - 1
	all[w.index], all[last].index = all[last], w.index
	all[last] = nil
	w.loop.workers = all[:last]
	w.loop.cur, w.loop.running = to, to.self
	to.state = running
}

func (w *Worker) run() {
	w.budget = ioBudget
	w.state = running
	w.job.Exec(w)
}

// switchTo passes control from one worker to another and returns when from is
// resumed. A coroutine that ends wakes whoever sits in its seat, which may be
// anyone; the loop here passes control on to whom it belongs.
func (l *Loop) switchTo(from, to *Worker) {
	l.cur, l.running = to, to.self
	to.state = running
	from.co.Switch(&to.co)
	for l.cur != from {
		from.co.Switch(&l.cur.co)
	}
}

// suspend gives up the thread until w, parked or queued, is resumed. It is
// switchTo, written out: between a task and its switch each frame costs time, and
// stack that the task keeps.
func (l *Loop) suspend(w *Worker) {
	to := l.host
	if r := l.successor(); r != nil {
		if next, ok := r.(*Worker); ok {
			to = next
		} else if l.idle != nil {
			to = l.worker(r)
		} else { // the host makes a worker: it takes more stack than a task has
			l.ready.pushFront(r)
			l.batch++
		}
	}
	if to != w {
		l.cur, l.running = to, to.self
		to.state = running
		w.co.Switch(&to.co)
		for l.cur != w {
			w.co.Switch(&l.cur.co)
		}
	}
	w.state = running
	w.budget = ioBudget
}

// drive is what the host does: it takes the loop's turns and starts whoever is
// first in them, until there is no more to do or a guest is to get the thread
// back.
func (l *Loop) drive() {
	for {
		r := l.next()
		if r == nil {
			return
		}
		to, ok := r.(*Worker)
		if !ok {
			to = l.worker(r)
		}
		l.switchTo(l.host, to)
		if l.leaving != nil {
			l.letGo()
		}
	}
}

// leave ends w, whose goroutine is in runtime.Goexit. The one that wakes then would
// exit too, so the host has to be it, which is prepared for it: see letGo.
func (w *Worker) leave() {
	l := w.loop
	w.state, l.leaving = dying, w
	l.switchTo(w, l.host)
	w.exit(l.host)
	coro.Exit()
}

// letGo lets the worker go that is leaving. The caller is the host.
func (l *Loop) letGo() {
	w := l.leaving
	l.leaving = nil
	next := w
	for _, x := range l.workers {
		if x != w && x.co.WakesAfter(&w.co) {
			next = x // it finds that w is to run, and the host has its seat
			break
		}
	}
	l.cur, l.running = w, w.self
	l.host.co.SwitchToExit(&next.co)
}

// RunNow runs a job on a worker of its own until it suspends or ends. The
// caller's goes to the front of the queue meanwhile, so it is resumed then.
func (l *Loop) RunNow(j Job) {
	w := l.cur
	w.state = ready
	l.ready.pushFront(w)
	l.batch++
	l.switchTo(w, l.worker(j))
	w.state = running
}
