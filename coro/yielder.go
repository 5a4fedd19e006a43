package coro

// A Yielder is the body's end of a generator: how it hands out values and is
// told what its driver has to say. Only the body may use it, on the goroutine
// that runs it. [New] gives each body its own.
//
// Invariant: out is zero unless Suspended; sent is zero unless the driver has
// resumed the body and its Yield has yet to return.
type Yielder[Y, S any] struct {
	frame frame
	out   Y
	sent  S
}

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
	y.frame.suspend()
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
