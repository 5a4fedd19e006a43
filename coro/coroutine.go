package coro

// A Coroutine is one thread of control among several of which exactly one
// runs at a time. Control passes between them only by Switch, from any of
// them to any other (symmetric transfer), so a scheduler can go from one
// parked task straight to the next without a stop in between.
//
// It rests on [iter.Pull]. A pull iterator is a seat in which one goroutine
// sleeps: calling its next or its yield puts the caller to sleep in the seat
// and wakes the goroutine that slept there. The comment on type coro in
// $GOROOT/src/runtime/coro.go allows any goroutine to be the caller;
// iter.Pull's contract does not. So the first Init checks it, and there is
// another way to make a seat: see seat_pull.go and seat_nested.go.
//
// Invariants, with N coroutines started and not ended, and one goroutine that
// was not started here (the host):
//   - there are N seats and N+1 goroutines: one runs, each other sleeps in a
//     seat of its own;
//   - at of a parked coroutine is the seat in which its goroutine sleeps, and
//     no two are equal; at of a coroutine that runs or has ended is nil;
//   - next and yield of one seat are called in turn, next first, as iter.Pull
//     demands; seat.pulled tells which comes now.
//
// The zero Coroutine stands for a goroutine that runs already: the host. All
// coroutines that switch to each other must be started on one goroutine or on
// coroutines that descend from it, and calls must not overlap.
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
// wakes; that is the one that first switched to c, unless others have changed
// seats since. If body panics or calls runtime.Goexit, that goroutine panics or
// exits too if it sleeps there since its first switch (see iter.Pull), so body
// should let neither escape.
//
// Costs one goroutine: about 2.6 KB. The only way to discard c is to switch to
// it until body returns.
func (c *Coroutine) Init(body func()) {
	st := &strand{root: Root()}
	c.home.pulled = false
	c.begin(st, body)
	c.at = &c.home
	c.strand = st
}

// Switch parks the calling coroutine, which must be c, and resumes to, which
// must be parked or not yet started. It returns when another coroutine
// switches to c. It allocates nothing. It panics if to is running (that is, to
// == c) or has ended.
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

// WakesAfter reports whether c, which sleeps, wakes when the body of other
// ends, if nothing switches before that.
func (c *Coroutine) WakesAfter(other *Coroutine) bool { return c.at == &other.home }

// exit is the panic value by which Exit ends a body.
type exit struct{}

// Exit ends the calling coroutine. It must be called by a deferred function
// while the goroutine is in runtime.Goexit. It keeps the Goexit from spreading
// to the goroutine that wakes next, if that sleeps in a SwitchToExit.
func Exit() {
	// iter.Pull recovers this panic and passes it on in place of the Goexit.
	// The goroutine ends all the same: nothing stops a Goexit.
	panic(exit{})
}

// SwitchToExit is like Switch, for a caller that wakes when a coroutine ends by
// Exit.
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
