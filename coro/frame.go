package coro

// A frame is the part of a generator that does not depend on its types: the
// body's coroutine and its state.
//
// Invariants:
//   - Created: body has had no Init;
//   - Suspended: the body's goroutine sleeps in body's own seat;
//   - Running: the driver's goroutine sleeps there, by the seat's next;
//   - Closed: the body's goroutine is about to end, has ended, or never began;
//   - thrown is set from when the driver resumes the body until its Yield
//     returns.
//
// So only those two goroutines ever sleep in that seat: while one of them does,
// only the other can wake it, and then sleeps in its place. This holds whatever
// other coroutines do meanwhile, for instance when the body is part of a
// scheduler's task and suspends the task. Therefore the seat's next and yield
// suffice to pass control, and Switch is not needed; the end of the body always
// wakes its driver; and a runtime.Goexit in the body reaches the driver through
// iter.Pull.
type frame struct {
	body   Coroutine
	state  State
	thrown error
}

// resume and suspend each switch once, and are inlined: after a switch the
// processor mispredicts every return to a caller, so each call between the
// user's code and the switch costs about 5 ns.

// resume lets the body run until it suspends or ends. The body must be
// suspended, or prepared by Init.
func (f *frame) resume() {
	f.state = Running
	f.body.home.next()
}

// suspend lets the driver run until it resumes. The caller must be the body.
func (f *frame) suspend() {
	f.state = Suspended
	f.body.home.yield(struct{}{})
}

// mine reports whether the caller is the body. It may be called from anywhere.
func (f *frame) mine() bool {
	return f.body.strand != nil && f.body.strand.current()
}
