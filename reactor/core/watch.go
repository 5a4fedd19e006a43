package core

// A Watch calls a function when an FD becomes readable, beside tasks that may
// wait for it, without a task of its own. It must not be copied once it is
// started.
//
// Invariant: a Watch is in its FD's readers, and counts in the loop's ioWaits,
// or has a callback that is due, or is stopped.
type Watch struct {
	_     noCopy
	node  Waiter
	fd    *FD
	ready func()
	due   *Callback
}

// Start makes the loop call ready once, when f may be readable, reaches its read
// deadline, or is closed; w is stopped then. A deadline that has passed already
// does not count, so that ready can start w again. Start must be called by a task
// or callback of f's loop, while w is stopped.
func (w *Watch) Start(f *FD, ready func()) {
	f.loop.OnLoop("Watch.Start")
	w.fd, w.ready, w.node.Hook = f, ready, w
	if f.flags&(canRead|closed) != 0 {
		w.call()
		return
	}
	f.loop.ioWaits++
	f.read.waiters.Push(&w.node)
}

// Stop keeps w from calling its function.
func (w *Watch) Stop() {
	if w.due != nil {
		w.due.fn = nil
		w.due = nil
	}
	if w.node.Waits() {
		w.fd.loop.ioWaits--
		w.node.Leave()
	}
}

// Wake is called by the FD's readers, after they have removed w.
func (w *Watch) Wake() {
	w.fd.loop.ioWaits--
	w.call()
}

func (w *Watch) call() {
	w.due = &Callback{loop: w.fd.loop, fn: func() { w.due = nil; w.ready() }}
	w.due.Soon()
}
