package net

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactor/poll"
)

// onLoop calls f in a task of ctx's loop if the caller is its running task, or
// if the loop's sockets are not the system's. Any other goroutine calls f
// itself, with a ctx that is apart.
func onLoop[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	return onThisLoop(ctx, reactor.LoopOf, false, f)
}

// onThisLoop is like onLoop, but gets the loop from loopOf if the caller is not
// the running task. calls is set if f may use byCaller.
func onThisLoop[T any](ctx context.Context, loopOf func(context.Context) *reactor.Loop, calls bool, f func(context.Context) (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	if core.InTask(ctx) {
		return under(ctx, f)
	}
	l := loopOf(ctx)
	switch {
	case l == nil:
		return none, errNoLoop
	case l.InTask():
		return byTask(ctx, l, f)
	case l.Core().Apart():
		return f(apart{ctx, l})
	}
	return fromOutside(ctx, l, calls, f)
}

// under calls f in a scope of its own below ctx, which may be any context:
// operations on an FD obey the innermost scope only.
func under[T any](ctx context.Context, f func(context.Context) (T, error)) (v T, err error) {
	err = reactor.Scope(ctx, func(ctx context.Context, _ *reactor.CancelScope) (err error) {
		v, err = f(ctx)
		return err
	})
	return v, err
}

// byTask calls f in the running task of l, for a ctx that is not that task's.
func byTask[T any](ctx context.Context, l *reactor.Loop, f func(context.Context) (T, error)) (v T, err error) {
	err = l.Within(ctx, func(ctx context.Context) (err error) {
		v, err = f(ctx)
		return err
	})
	return v, err
}

// fromOutside calls f in a task of l, for a goroutine that waits for it until
// ctx is done. If f panics, so does the goroutine.
func fromOutside[T any](ctx context.Context, l *reactor.Loop, calls bool, f func(context.Context) (T, error)) (T, error) {
	var h handover[T]
	var c *caller
	from := context.Context(waitedFor{ctx, time.Now()})
	if calls {
		c = newCaller()
		from = context.WithValue(from, callerKey, c)
	}
	var failure error // not the task's own error, which would be reported if nothing waits for it
	wait := reactor.Submit(l, func(context.Context) (none struct{}, err error) {
		v, err := byTask(from, l, f)
		if err != nil {
			failure = err
		} else if !h.give(v) {
			discard(v)
		}
		return none, nil
	})
	var err error
	if calls {
		err = serveCalls(ctx, c, wait)
	} else {
		_, err = wait(ctx)
	}
	repanic(err)
	if err == nil {
		err = failure
	}
	if err == reactor.ErrLoopClosed {
		err = ErrClosed
	}
	return h.take(err)
}

// waitedFor is the ctx of a goroutine that waits for a task and itself cancels
// the task when the ctx is done. It hides the Done channel, which may belong to
// a synctest bubble.
type waitedFor struct {
	context.Context
	asked time.Time // by the goroutine's clock
}

func (waitedFor) Done() <-chan struct{} { return nil }
func (waitedFor) Err() error            { return nil }

func (w waitedFor) Deadline() (time.Time, bool) {
	d, ok := w.Context.Deadline()
	if ok {
		d = poll.Rebased(d, w.asked)
	}
	return d, ok
}

// A handover passes a value from a task to a goroutine that may have given up:
// either take returns the value, or give returns false.
type handover[T any] struct {
	value T
	done  atomic.Bool // set by the first of give and take
}

func (h *handover[T]) give(v T) bool {
	h.value = v
	return h.done.CompareAndSwap(false, true)
}

// take returns the value if it was given, and else err. A value given just as
// ctx ended is returned too.
func (h *handover[T]) take(err error) (T, error) {
	if !h.done.CompareAndSwap(false, true) && err != ErrClosed {
		return h.value, nil
	}
	var none T
	return none, err
}

func discard(v any) {
	if c, ok := v.(io.Closer); ok {
		c.Close()
	}
}

var errNoLoop = errors.New("ctx belongs to no loop: call this in reactor.Run, with the ctx that a task's function receives")

func (d *Dialer) loop(ctx context.Context) *reactor.Loop {
	if l := reactor.LoopOf(ctx); l != nil {
		return l
	}
	return d.Loop
}

// dialOnLoop calls f on the loop of ctx, or d's, within d's time limits.
func dialOnLoop[C any](ctx context.Context, d *Dialer, network string, from, to Addr, f func(context.Context) (C, error)) (C, error) {
	c, err := onThisLoop(ctx, d.loop, d.control() != nil || !traceOf(ctx).none(), func(ctx context.Context) (c C, err error) {
		late := d.bounded(ctx, func(ctx context.Context) error {
			c, err = f(ctx)
			return err
		})
		return c, cmp.Or(err, late) // late wraps err, or f was not called
	})
	if err != nil {
		var none C
		return none, opError("dial", network, from, to, err)
	}
	return c, nil
}

// bounded calls f within d's time limits.
func (d *Dialer) bounded(ctx context.Context, f func(context.Context) error) error {
	if l := loopApart(ctx); l != nil {
		return d.boundedApart(ctx, l, f)
	}
	if d.Timeout != 0 { // negative ones too, as in std
		within := f
		f = func(ctx context.Context) error { return reactor.Timeout(ctx, d.Timeout, within) }
	}
	if !d.Deadline.IsZero() {
		return reactor.TimeoutAt(ctx, d.Deadline, f)
	}
	return f(ctx)
}

func (d *Dialer) boundedApart(ctx context.Context, l *reactor.Loop, f func(context.Context) error) error {
	var cancel context.CancelFunc
	if d.Timeout != 0 {
		ctx, cancel = context.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	if !d.Deadline.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, d.Deadline)
		defer cancel()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return f(apart{callers(ctx), l})
}
