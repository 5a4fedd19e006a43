package coro

// A frame is what a generator's two ends have in common, whatever its types:
// the body's coroutine and how far it has come.
//
// Invariants:
//   - Created: body has had no Init;
//   - Suspended: the body's goroutine sleeps in body's own seat;
//   - Running: the driver's goroutine sleeps there, by the seat's next;
//   - Closed: the body's goroutine is about to end, has ended, or never began;
//   - thrown is set from when the driver resumes the body until its Yield
//     returns.
//
// So nobody but those two ever sleeps in that seat: while one of them does,
// only the other can wake it, and goes to sleep in its place. This holds
// whatever other coroutines do in the meantime, as when the body is part of a
// scheduler's task and switches the task away. Therefore control passes by the
// seat's next and yield alone, with no need of Switch to look up who sleeps
// where; the end of the body wakes its driver and no other; and a
// runtime.Goexit in the body reaches the driver by way of iter.Pull.
type frame struct {
	body   Coroutine
	state  State
	thrown error
}

// resume and suspend are a Switch each, and get inlined: after a switch every
// return to a caller is one that the processor predicted wrongly, so each call
// between the user's code and the switch costs about 5 ns.

// resume lets the body run until it suspends or ends. The body must be fresh
// from Init or suspended.
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
