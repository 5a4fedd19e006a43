package coro

// A Coroutine is one thread of control among several of which exactly one
// runs at a time. Control passes between them only by Switch, from any of
// them to any other (symmetric transfer), so a scheduler can go from one
// parked task straight to the next without a stop in between.
//
// It rests on [iter.Pull]. A pull iterator is a seat in which one goroutine
// sleeps: calling its next or its yield puts the caller to sleep in the seat
// and wakes whoever slept there. That any goroutine may be the caller is said
// by the comment on type coro in $GOROOT/src/runtime/coro.go, and not by
// iter.Pull's contract. So the first Init checks it, and there is another way
// to make a seat: see seat_pull.go and seat_nested.go.
//
// Invariants, with N coroutines started and not ended, and the one goroutine
// that never was started here (the host):
//   - there are N seats and N+1 goroutines: one runs, each other sleeps in a
//     seat of its own;
//   - a parked coroutine's at is its goroutine's seat, and two never agree;
//     the at of one that runs or has ended is nil;
//   - next and yield of one seat are called in turn, next first, as iter.Pull
//     demands; seat.pulled says which comes now.
//
// The zero Coroutine stands for a goroutine that runs already: the host.
// All coroutines that switch among each other must be started on one
// goroutine or on coroutines that descend from it, and no call may overlap
// another: a Coroutine is not for use by several threads.
type Coroutine struct {
	at     *seat
	home   seat
	strand *strand // of the goroutine that runs body; nil for a host
}

type seat struct {
	next   func() (struct{}, bool)
	yield  func(struct{}) bool
	pulled bool
}

// Init prepares c, which must be zero or have ended, to run body at the first
// Switch to it. When body returns, the goroutine that sleeps in c's own seat
// wakes; it is the one that switched to c first, unless others have changed
// seats since. If body panics or calls runtime.Goexit, that one panics or
// exits too, if it sits there by its own first switch (see iter.Pull), so body
// should let neither escape.
//
// Costs one goroutine: about 2.6 KB. There is no way to discard c but to
// switch to it until body returns.
func (c *Coroutine) Init(body func()) {
	st := &strand{root: Root()}
	c.home.pulled = false
	c.begin(st, body)
	c.at = &c.home
	c.strand = st
}

// Switch parks the calling coroutine, which must be c, and resumes to, which
// must be parked or not yet started. It returns when another coroutine
// switches to c. It allocates nothing. To switch to a coroutine that is
// running (itself, that is) or has ended is a mistake of the caller's, and
// panics.
func (c *Coroutine) Switch(to *Coroutine) {
	s := to.at
	if s == nil {
		panic("coro: Switch to a coroutine that is running, has ended, or had no Init")
	}
	c.at = s
	s.pulled = !s.pulled
	if s.pulled {
		s.next()
	} else {
		s.yield(struct{}{})
	}
	c.at = nil
}

// WakesAfter reports whether c, which sleeps, is the one that will wake when the body
// of other ends, if nobody switches before that.
func (c *Coroutine) WakesAfter(other *Coroutine) bool { return c.at == &other.home }

// exit is what a body ends with that is in runtime.Goexit.
type exit struct{}

// Exit ends the calling coroutine, in a deferred call while its goroutine is in
// runtime.Goexit. What that would do to the goroutine that wakes next, Exit spares
// it, if it sleeps in a SwitchToExit.
func Exit() {
	// A panic that iter.Pull recovers takes the place of the Goexit that it would
	// hand on. The goroutine ends all the same: nothing stops a Goexit.
	panic(exit{})
}

// SwitchToExit is like Switch, for a caller that is to wake when a coroutine ends
// which calls Exit.
func (c *Coroutine) SwitchToExit(to *Coroutine) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case exit:
			c.at = nil
		default:
			panic(r)
		}
	}()
	c.Switch(to)
}
