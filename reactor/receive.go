package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// Receive receives from a Go channel without blocking the loop: the bridge from
// goroutines that send. Like a receive, it returns ok false if ch is closed.
// The error is ctx's, if ctx is done before there is a value; a value that was
// received is never lost. If ch has a value at once, Receive does not suspend;
// otherwise it costs a goroutine while it waits.
func Receive[T any](ctx context.Context, ch <-chan T) (value T, ok bool, err error) {
	w, s, err := core.Await(ctx, "Receive")
	if err != nil {
		return value, false, err
	}
	select {
	case value, ok = <-ch:
		return value, ok, nil
	default:
	}
	w.Loop().Refuse("reactor.Receive waits for a goroutine to send: let a task put into a reactor.Queue")
	r := &receiver[T]{loop: w.Loop(), stop: make(chan struct{})}
	w.Loop().Outside(1)
	go r.run(ch)
	defer r.quit() // also if the task is cut off
	if err := r.wait.Wait(w, s, waitingFor("a value from a channel")); err != nil {
		// The goroutine may have received a value meanwhile.
		r.quit()
		for !r.over {
			r.wait.Wait(w, w.Loop().Shielded(), waitingFor("the end of a receive"))
		}
		if !r.received {
			return value, false, err
		}
	}
	return r.value, r.ok, nil
}

// A receiver is a Receive in progress. Its goroutine writes value, ok and
// received before it posts.
type receiver[T any] struct {
	loop     *core.Loop
	stop     chan struct{}
	value    T
	ok       bool
	received bool
	over     bool
	quitting bool
	wait     core.WaitList
}

// quit ends the goroutine if it still waits. Calling it again does nothing.
func (r *receiver[T]) quit() {
	if !r.quitting {
		r.quitting = true
		close(r.stop)
	}
}

func (r *receiver[T]) run(ch <-chan T) {
	select {
	case r.value, r.ok = <-ch:
		r.received = true
	case <-r.stop:
	}
	r.loop.Post(func() {
		r.loop.Outside(-1)
		r.over = true
		r.wait.WakeAll(core.WokenDone)
	})
}
