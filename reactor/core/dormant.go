package core

import (
	"context"
	"os"
)

// A Dormant is a task that has no coroutine, and so no stack, while it waits
// for its FD to be readable. Each time there is something to read its [Runner]
// runs, as a task that may await like any other, on a pooled coroutine. It is
// for servers with very many connections that are mostly idle: a callback,
// without a callback's limits.
//
// Start starts a Dormant; it goes on until its Runner returns an error, or the
// FD is closed. The zero Dormant can be started, also as part of a larger
// structure. Its methods may be called by tasks and callbacks of the loop.
//
// Invariants: a Dormant that was started is in one of four states. It waits:
// its node is in the FD's readers, and counts in the loop's ioWaits. It is due:
// it is in the ready queue, once. It runs: it is the keeper of a task. Or it is
// over: it no longer gets the FD's events.
type Dormant struct {
	_      noCopy
	node   Waiter
	fd     *FD
	runner Runner
	up     *Scope // its tasks run under it
	state  dormancy
	paused bool
}

type dormancy uint8

const (
	dormantNew dormancy = iota
	dormantWaits
	dormantDue
	dormantRuns
	dormantOver
)

// Start makes d wait for f, and run r whenever there is something to be read:
// data, its end, an error, or a read deadline that has passed. When Run returns
// nil it runs again when there is more, or on the next turn if it did not read
// all there was. Its ctx is valid only during this run.
//
// The runs' tasks are cancelled with ctx, which must belong to f's loop. d
// itself is over only when a run fails, or f is closed; then Over is called,
// with [os.ErrClosed] in the latter case.
func (d *Dormant) Start(ctx context.Context, f *FD, r Runner) {
	d.up = Nearest(ctx)
	if d.up == nil || d.up.loop != f.loop {
		panic("reactor: Dormant.Start with a ctx that does not belong to the FD's loop")
	}
	f.loop.OnLoop("Dormant.Start")
	if d.state != dormantNew {
		panic("reactor: Dormant.Start of one that was started")
	}
	d.fd, d.runner = f, r
	d.node.Hook = d
	d.listen()
}

// Pause keeps d from running until Resume, but not from being over when the FD
// is closed. A run in progress goes on.
func (d *Dormant) Pause() {
	d.onLoop("Dormant.Pause")
	d.paused = true
}

// Resume undoes Pause.
func (d *Dormant) Resume() {
	d.onLoop("Dormant.Resume")
	if !d.paused {
		return
	}
	d.paused = false
	if d.state == dormantWaits {
		d.fd.read.waiters.remove(&d.node)
		d.fd.loop.ioWaits--
		d.listen()
	}
}

// Waits reports whether d waits for something to be read: its Runner neither
// runs nor is due.
func (d *Dormant) Waits() bool {
	d.onLoop("Dormant.Waits")
	return d.state == dormantWaits
}

// onLoop panics unless the caller is on d's loop, which d has once it is
// started.
func (d *Dormant) onLoop(op string) {
	if d.fd != nil {
		d.fd.loop.OnLoop(op)
	}
}

// listen makes d wait, or makes it due if it need not wait.
func (d *Dormant) listen() {
	f := d.fd
	if f.flags&closed != 0 || !d.paused && f.readReady() {
		d.due()
		return
	}
	d.state = dormantWaits
	f.loop.ioWaits++
	f.read.waiters.Push(&d.node)
}

// readReady reports whether WaitRead would not wait.
func (f *FD) readReady() bool {
	return f.flags&(canRead|closed) != 0 || f.flags&timed != 0 && f.read.passed()
}

func (d *Dormant) due() {
	d.state = dormantDue
	d.fd.loop.ready.push(d)
}

// Wake is called by the FD's readers, after they have removed d.
func (d *Dormant) Wake() {
	d.fd.loop.ioWaits--
	d.due()
}

// Exec runs the Runner as a task.
func (d *Dormant) Exec(w *Worker) {
	switch {
	case d.fd.flags&closed != 0:
		d.end(os.ErrClosed)
		return
	case d.paused, !d.fd.readReady():
		d.listen()
		return
	}
	d.state = dormantRuns
	t := w.taskFor(d)
	t.RunsOn(w)
	defer t.Leave(w)
	t.Returned(d.runner.Run(&t.scope))
	if t.err == nil && t.unknown() {
		rest(t, w)
		d.listen()
	}
}

// A run's task is reused for a later run, so that a run does not allocate and
// ends quickly, unless other code may still refer to it. Code that keeps a
// run's ctx against the rules, without a detectable use of it, will see another
// run's. Meanwhile the task's scope stays in the tree, because the next run is
// usually one of the same server.

// taskFor returns the task of d's next run, on w.
func (w *Worker) taskFor(d *Dormant) *Task {
	t := w.spare
	if t == nil || t.scope.up != d.up || t.scope.reason.Load() != nil || t.scope.extra.Load() != nil {
		t = w.newTaskFor(d)
	}
	w.spare = nil
	l := t.scope.loop
	t.body, t.keeper = d.runner, d
	t.err, t.over = nil, false
	l.lastID++
	t.id = l.lastID
	l.live++
	l.step.task = t
	return t
}

func (w *Worker) newTaskFor(d *Dormant) *Task {
	w.dropSpare()
	t := new(Task)
	t.scope.loop, t.scope.parent = w.loop, d.up
	t.scope.link(d.up)
	return t
}

// dropSpare removes the task that w keeps for a later run from the tree.
func (w *Worker) dropSpare() {
	if w.spare != nil {
		w.spare.scope.unlink()
		w.spare = nil
	}
}

// unknown reports whether no other code can refer to the task or wait for its
// end.
func (t *Task) unknown() bool {
	return t.scope.kids == nil && t.waiters.Empty() && t.scope.extra.Load() == nil && !t.exposed && t.scope.reason.Load() == nil
}

// rest ends a task that is unknown, in place of finish. Leave then has nothing
// to do.
func rest(t *Task, w *Worker) {
	w.dropShadow()
	if w.inner != nil || w.body != nil {
		w.clearRegions()
	}
	w.task, w.scope = nil, nil
	t.scope.w = nil
	t.scope.loop.live--
	w.spare = t
}

// Ended handles the end of a run.
func (d *Dormant) Ended(t *Task, _ bool) {
	if t.err == nil {
		d.listen()
		return
	}
	d.end(t.err)
}

func (d *Dormant) end(err error) {
	d.state = dormantOver
	d.fd.loop.tellOver(d.runner, err)
}
