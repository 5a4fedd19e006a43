package coro

// A Yielder is the body's end of a generator: how it hands out values and is
// told what its driver has to say. Only the body may use it, on the goroutine
// that runs it. [New] gives each body its own.
//
// Invariant: out is zero unless Suspended; sent is zero unless the driver has
// resumed the body and its Yield has yet to return.
type Yielder[Y, S any] struct {
	frame    frame
	switcher Switcher
	out      Y
	sent     S
}

// A Switcher learns when a body passes control to its driver and gets it back. A
// scheduler uses it to keep what belongs to the body apart from what belongs to
// the task that drives it. Its methods are called by Yield, on the body's
// goroutine, and must not yield.
type Switcher interface {
	Suspending() // Yield is about to suspend the body
	Resumed()    // the body has been driven again, and Yield is about to return
}

// Switch makes each later Yield call s. A nil s means none, as at first. Only
// the body may call it. A Yield without one costs a comparison more.
func (y *Yielder[Y, S]) Switch(s Switcher) { y.switcher = s }

// Yield hands v to the driver and suspends the body until it is driven again.
// It returns the value of Send (the zero S if it was Next), the error of
// Throw, or [ErrClosed] for Close.
//
// Called from elsewhere than the body's own goroutine, or after the body has
// returned, it suspends nothing and returns an error that wraps
// [ErrWrongGoroutine]. Allocates nothing; its cost is counted with
// that of [Generator.Next].
func (y *Yielder[Y, S]) Yield(v Y) (S, error) {
	var none S
	if !y.frame.mine() {
		return none, errNotBody
	}
	y.out = v
	if y.switcher != nil {
		y.switcher.Suspending()
	}
	y.frame.suspend()
	if y.switcher != nil {
		y.switcher.Resumed()
	}
	s, err := y.sent, y.frame.thrown
	y.sent, y.frame.thrown = none, nil
	return s, err
}

// take removes the value that the body yielded.
func (y *Yielder[Y, S]) take() Y {
	var none Y
	v := y.out
	y.out = none
	return v
}
