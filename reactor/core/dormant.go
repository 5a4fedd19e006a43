package core

import (
	"context"
	"os"
)

// A Dormant is a task that has no coroutine while it waits for its FD to be
// readable: it costs memory for what it must remember, and no stack. Each time
// there is something to read its [Runner] is run, as a task that may await as
// any other, on a pooled coroutine. It is for servers with very many
// connections that are mostly idle: a callback, without a callback's limits.
//
// Start sets a Dormant going; it goes on until its Runner returns an error, or
// the FD is closed. The zero Dormant can be started, also as a part of a larger
// structure. Its methods may be called by tasks and callbacks of the loop.
//
// Invariants: a Dormant that was started is in one of four states. It waits: its
// node stands in the FD's readers, and counts in the loop's ioWaits. It is due:
// it stands in the ready queue, once. It runs: there is a task whose keeper it
// is. Or it is over: whoever gets its FD's events, it does not.
type Dormant struct {
	_      noCopy
	node   Waiter
	fd     *FD
	runner Runner
	up     *Scope // under which its tasks run
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
// nil it will be run again: when there is more, or on the next turn, if it did not
// read all there was. Its ctx is that of this run, and must not be used after it.
//
// The tasks of the runs descend from ctx, which must belong to f's loop: they are
// cancelled with it. d itself is over only when a run fails, or f is closed; then
// Over is called, with [os.ErrClosed] in the latter case.
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

// Pause keeps d from being run until Resume, but not from being over when the FD
// is closed. A run that is under way goes on.
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

// Waits reports whether d waits for something to be read: its Runner is neither
// running nor about to be run.
func (d *Dormant) Waits() bool {
	d.onLoop("Dormant.Waits")
	return d.state == dormantWaits
}

// onLoop panics unless the caller is on d's loop. One that was not started has
// none.
func (d *Dormant) onLoop(op string) {
	if d.fd != nil {
		d.fd.loop.OnLoop(op)
	}
}

// listen makes d wait, or be due if it need not.
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

// Wake is called by the FD's readers, among which d stands no more.
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

// A run's task is used again for a later run, so that a run allocates nothing, and
// its end is short: unless somebody may still know it. Whoever keeps its ctx
// against the rules, and made no use of it that shows, will see another run's.
// Meanwhile its scope stays where it is in the tree, since the next run is mostly one
// of the same server's.

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

// dropSpare takes the task that w has kept for a later run out of the tree.
func (w *Worker) dropSpare() {
	if w.spare != nil {
		w.spare.scope.unlink()
		w.spare = nil
	}
}

// unknown reports whether nobody can know the task, nor has anything to do with its
// end.
func (t *Task) unknown() bool {
	return t.scope.kids == nil && t.waiters.Empty() && t.scope.extra.Load() == nil && !t.exposed && t.scope.reason.Load() == nil
}

// rest is all that finish has to do for a task that nobody knows. leave finds
// nothing left to do then.
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

// Ended learns of the end of a run.
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
