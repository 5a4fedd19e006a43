package net

import (
	"context"
	"errors"

	"github.com/eddyio/eddy/reactor"
)

// A caller is a goroutine off the loop that waits for what a task does for it, and
// meanwhile calls the functions that it has passed itself: a Dialer's Control, and
// the hooks of httptrace. They may be anybody's code, which may panic, or exit its goroutine as a test's Fatal
// does: neither is the loop's business.
type caller struct {
	calls chan func()
	left  chan struct{} // closed once it takes no more calls
}

func newCaller() *caller { return &caller{make(chan func()), make(chan struct{})} }

// callerKey is the key under which a task's ctx tells the caller that it works for.
var callerKey any = new(int)

var errCallerLeft = errors.New("the function did not return, or its goroutine has given up")

// byCaller calls f: on the goroutine that ctx's task works for, if that takes calls,
// and else on the spot. The wait for a call is shielded, for what it uses must not
// be freed before it returns.
func byCaller(ctx context.Context, f func() error) error {
	c, ok := ctx.Value(callerKey).(*caller)
	if !ok {
		return f()
	}
	_, err := reactor.ToThread(context.WithoutCancel(ctx), func() (struct{}, error) { return struct{}{}, c.call(f) })
	return err
}

// call passes f to the caller and waits until it is left, by a return or otherwise.
func (c *caller) call(f func() error) error {
	done := make(chan error, 1)
	select {
	case c.calls <- func() {
		err := errCallerLeft
		defer func() { done <- err }()
		err = f()
	}:
		return <-done
	case <-c.left:
		return errCallerLeft
	}
}

// serveCalls is wait(ctx) on a goroutine that takes calls. When a call does not
// return, what it waits for is cancelled.
func serveCalls(ctx context.Context, c *caller, wait func(context.Context) (struct{}, error)) error {
	defer close(c.left)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := wait(ctx)
		ended <- err
	}()
	for {
		select {
		case f := <-c.calls:
			f()
		case err := <-ended:
			return err
		}
	}
}
