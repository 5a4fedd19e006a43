package core

import (
	"fmt"
	"runtime/trace"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/timerwheel"
)

// A Worker is a coroutine that runs tasks and callbacks, one after the other,
// with the state that a task needs while it is parked. Workers are pooled: a
// task gets one when it starts, so one with a grown stack serves many tasks.
//
// A parking task, or a worker without work, switches directly to its successor,
// the next in the queue: one switch from task to task, and none when a task is
// its own successor. Only at the end of a turn does it switch to the host,
// which takes the next turn (see drive): a turn's calls are deep, and would
// make the stack of every task that takes one grow from two kilobytes to four.
//
// Invariants:
//   - l.cur is the worker that runs, l.running its goroutine;
//   - state is parked exactly while its task waits for Wake; until then the
//     worker is not in the ready queue, and after it is there exactly once;
//   - where is set while parked, and guestOf when another worker executes it.
type Worker struct {
	Weight int // for primitives: a number that the task asks for or gets

	co   coro.Coroutine
	loop *Loop
	self uintptr // its goroutine
	task *Task   // the task that it runs; nil in a callback, and while idle
	job  Job

	state  state
	woken  Wakeup
	budget uint8 // I/O operations until the task must let others run
	spins  uint8 // attempts in a row that failed at once

	ignorer uint32 // the task of which ignored counts
	ignored int32  // awaits in a row that failed because their ctx was done
	where   *Scope
	scope   *Scope // the task's innermost scope
	inner   *Region
	body    *Body // the innermost generator's body that runs here
	what    fmt.Stringer
	since   int64 // when the turn began in which it parked
	node    Waiter
	spare   *Task // for a Dormant's next run: ended, but still in the tree of scopes
	timer   timerwheel.Timer[Expirer]

	guestOf              *guestList
	nextGuest, prevGuest *Worker
	shadow               *Scope // follows the foreign ctx that the task last awaited under
	nextIdle             *Worker
	index                int           // its index in l.workers
	region               *trace.Region // of the runtime's trace: the task waits
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
	WokenDone     Wakeup = iota // by the thing that it waited for
	WokenTimer                  // its time has come
	WokenCanceled               // its scope is done
	WokenClosed                 // the thing that it waited for was closed
	wokenCut                    // the loop ends, and the task did not stop
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

// worker returns a worker that waits for a job.
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

// main is the worker's coroutine. It ends by setting l.cur to the worker that
// runs next: the end of its goroutine wakes the one that sleeps in its seat,
// and that one passes control on (see switchTo).
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

// retire makes w idle and switches to the next worker. If enough are idle, w
// exits instead.
func (w *Worker) retire(to *Worker) {
	l := w.loop
	w.state, w.what = idle, nil
	if GoroutineLabels() != nil {
		SetGoroutineLabels(nil)
	}
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
// resumed. A coroutine that ends wakes the one that sleeps in its seat, which
// may be any; the loop here passes control on to the right one. There is one
// call of Switch, so that a goroutine profile has few groups.
func (l *Loop) switchTo(from, to *Worker) {
	l.cur, l.running = to, to.self
	to.state = running
	for {
		from.co.Switch(&to.co)
		if to = l.cur; to == from {
			return
		}
	}
}

// suspend gives up the thread until w, parked or queued, is resumed. It is
// switchTo, inlined by hand: each frame between a task and its switch costs
// time, and stack that the task keeps.
func (l *Loop) suspend(w *Worker) {
	if l.traced {
		w.beginRegion()
	}
	to := l.host
	if r := l.successor(); r != nil {
		if next, ok := r.(*Worker); ok {
			to = next
		} else if l.idle != nil {
			to = l.worker(r)
		} else { // the host makes a worker, which takes more stack than a task has
			l.ready.pushFront(r)
			l.batch++
		}
	}
	if to != w {
		l.cur, l.running = to, to.self
		to.state = running
		for {
			w.co.Switch(&to.co)
			if to = l.cur; to == w {
				break
			}
		}
	}
	w.state = running
	w.budget = ioBudget
	if w.region != nil {
		w.endRegion()
	}
}

// drive is the host's loop: it takes turns and starts the first job of each,
// until there is no more to do or a guest gets the thread back.
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

// leave ends w, whose goroutine is in runtime.Goexit. The goroutine that wakes
// then would exit too, so it must be the host, which is prepared for that: see
// letGo.
func (w *Worker) leave() {
	l := w.loop
	w.state, l.leaving = dying, w
	l.switchTo(w, l.host)
	w.exit(l.host)
	coro.Exit()
}

// letGo ends the leaving worker. The caller is the host.
func (l *Loop) letGo() {
	w := l.leaving
	l.leaving = nil
	next := w
	for _, x := range l.workers {
		if x != w && x.co.WakesAfter(&w.co) {
			next = x // x passes control to w, and the host gets x's seat
			break
		}
	}
	l.cur, l.running = w, w.self
	l.host.co.SwitchToExit(&next.co)
}

// RunNow runs a job on a worker of its own until it suspends or ends. The
// caller's worker goes to the front of the queue meanwhile, so it is resumed
// then.
func (l *Loop) RunNow(j Job) {
	w := l.cur
	w.state = ready
	if l.watched {
		l.change(j)
	}
	l.ready.pushFront(w)
	l.batch++
	l.switchTo(w, l.worker(j))
	w.state = running
}
