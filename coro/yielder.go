package coro

// A Yielder is the body's end of a generator: the body yields values through it
// and receives those of its driver. Only the body may use it, on the goroutine
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

// A Switcher learns when a body passes control to its driver and gets it back.
// A scheduler uses it to separate the body's state from that of the task that
// drives it. Its methods are called by Yield, on the body's goroutine, and must
// not yield.
type Switcher interface {
	Suspending() // Yield is about to suspend the body
	Resumed()    // the body has been driven again, and Yield is about to return
}

// Switch makes each later Yield call s. A nil s means none, which is the
// default. Only the body may call it. Without a Switcher, a Yield costs one
// more comparison.
func (y *Yielder[Y, S]) Switch(s Switcher) { y.switcher = s }

// Yield passes v to the driver and suspends the body until it is driven again.
// It returns the value of Send (the zero S for Next), the error of Throw, or
// [ErrClosed] for Close.
//
// If it is called from another goroutine than the body's, or after the body has
// returned, it suspends nothing and returns an error that wraps
// [ErrWrongGoroutine]. It does not allocate; the cost stated for
// [Generator.Next] includes it.
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

// take removes and returns the value that the body yielded.
func (y *Yielder[Y, S]) take() Y {
	var none Y
	v := y.out
	y.out = none
	return v
}
