package shard

import (
	"context"
	"errors"
	"fmt"

	"github.com/eddyio/eddy/reactor/core"
)

// Call calls f on another shard, as a task of its loop, and suspends the running task until
// f returns; its result is f's. If f panics, or calls runtime.Goexit, the error is a
// [reactor.PanicError].
//
// f's ctx belongs to the other shard. It is cancelled when ctx is, but has the values of Run's
// ctx, not of the caller's. Call returns only when f has returned, also if ctx is done: so
// f may use the caller's variables, as a closure does, and needs no locks for them. If f
// returns a value in spite of the cancellation, so does Call.
//
// The error is [reactor.ErrLoopClosed] if the other shard ends before f has returned,
// and [reactor.ErrSelf] if f waits for the task that called it.
//
// The call costs one allocation, and two messages, which are system calls only if the
// receiving loop is asleep. A call on the caller's own shard is a task like others.
func Call[T, R any](ctx context.Context, to *Shard[T], f func(ctx context.Context, s *Shard[T]) (R, error)) (R, error) {
	var none R
	w, scope, err := core.Await(ctx, "shard.Call")
	if err != nil {
		return none, err
	}
	if f == nil {
		panic("shard: Call with a nil function")
	}
	c := new(singleCall[T, R])
	c.init(ctx, to, f)
	c.one[0] = &c.crossing
	c.gathering.all = c.one[:]
	if err := c.gather(w, scope); err != nil && c.crossing.echo {
		return none, err
	}
	return c.value, c.crossing.err
}

// A singleCall is a call with the wait for it.
type singleCall[T, R any] struct {
	call[T, R]
	gathering
	one [1]*crossing
}

// Each calls f on each of the shards at the same time, as [Call] does, and waits for all of
// them. When one fails, the others are cancelled. Each returns all errors, joined by
// [errors.Join], that do not only echo the cancellation; or ctx's.
func Each[T any](ctx context.Context, on []*Shard[T], f func(ctx context.Context, s *Shard[T]) error) error {
	if f == nil {
		panic("shard: Each with a nil function")
	}
	_, err := collect(ctx, "shard.Each", on, func(ctx context.Context, s *Shard[T]) (none struct{}, err error) {
		return none, f(ctx, s)
	})
	return err
}

// MapReduce calls f on each of the shards, like [Each], and then adds up the results in the
// order of the shards, beginning with zero. add is called by the running task.
func MapReduce[T, R, A any](ctx context.Context, on []*Shard[T], f func(ctx context.Context, s *Shard[T]) (R, error), zero A, add func(A, R) A) (A, error) {
	if f == nil {
		panic("shard: MapReduce with a nil function")
	}
	calls, err := collect(ctx, "shard.MapReduce", on, f)
	if err != nil {
		return zero, err
	}
	for _, c := range calls {
		zero = add(zero, c.value)
	}
	return zero, nil
}

func collect[T, R any](ctx context.Context, op string, on []*Shard[T], f func(ctx context.Context, s *Shard[T]) (R, error)) ([]*call[T, R], error) {
	w, scope, err := core.Await(ctx, op)
	if err != nil || len(on) == 0 {
		return nil, err
	}
	calls := make([]*call[T, R], len(on))
	var g gathering
	for i, to := range on {
		calls[i] = new(call[T, R])
		calls[i].init(ctx, to, f)
		g.all = append(g.all, &calls[i].crossing)
	}
	err = g.gather(w, scope)
	return calls, g.errors(err)
}

// errors returns the errors of the called functions. Those that only echo a cancellation
// are replaced by err, that of the wait.
func (g *gathering) errors(err error) error {
	var errs []error
	for _, c := range g.all {
		if c.err != nil && !c.echo {
			errs = append(errs, c.err)
		}
	}
	switch {
	case len(errs) == 1:
		return errs[0]
	case len(errs) > 1:
		return errors.Join(errs...)
	case err != nil:
		return err
	}
	for _, c := range g.all { // the other shard has cancelled it
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// A call is a crossing with its function, and its result.
type call[T, R any] struct {
	crossing
	to    *Shard[T]
	f     func(ctx context.Context, s *Shard[T]) (R, error)
	value R
}

func (c *call[T, R]) init(ctx context.Context, to *Shard[T], f func(ctx context.Context, s *Shard[T]) (R, error)) {
	c.to, c.f = to, f
	c.body, c.base, c.there = c, to.base, to.core()
	c.crossing.to, c.from = to, to
	if s := Of[T](ctx); s != nil {
		c.from = s
	}
}

// Run is the function of the task on the other shard.
func (c *call[T, R]) Run(ctx context.Context) (err error) {
	c.value, err = c.f(ctx, c.to)
	return err
}

// Over does nothing: the crossing is the task's keeper.
func (c *call[T, R]) Over(error) {}

func (c *call[T, R]) called() *crossing { return &c.crossing }

// Label names the task.
func (c *call[T, R]) Label() (string, fmt.Stringer) { return "called by", c.from }

// Function returns the user's function.
func (c *call[T, R]) Function() any { return c.f }
