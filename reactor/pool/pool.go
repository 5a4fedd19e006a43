// Package pool answers: how do tasks share what is dear to make, such as connections?
// A task that gets one waits in line, without blocking the loop, while there are as
// many as there may be.
//
// What is in the pool, and whether a use of it may suspend, is its user's affair. The
// package is written with what package reactor offers to everybody.
package pool

import (
	"context"
	"io"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A Config is what a [Pool] is made to. Dial and Max are needed, all else may be zero.
type Config[T any] struct {
	// Dial makes a resource. It is called by the task that gets it, and ctx is that
	// task's.
	Dial func(ctx context.Context) (T, error)

	// Max is how many there may be at a time: in use, idle, being made or being
	// closed.
	Max int

	// Close ends a resource, in a task of its own and within CloseTimeout. nil means
	// its method Close, if it is an io.Closer. What it returns is ignored.
	Close func(ctx context.Context, v T) error

	// Check, if set, is asked before a resource that was idle for CheckAfter or
	// longer is used again. An error means that it is closed, and another is used or
	// made.
	Check      func(ctx context.Context, v T) error
	CheckAfter time.Duration

	// Keep reports whether a resource can be used again after a function given to Do
	// has failed with err. nil means that it can't.
	Keep func(v T, err error) bool

	// IdleTime is after how long a resource is closed that nobody uses, and Lifetime
	// after how long one is closed that nobody uses at that moment. 0 means never.
	IdleTime, Lifetime time.Duration

	// CloseTimeout bounds Close. 0 means five seconds.
	CloseTimeout time.Duration
}

// A Pool holds resources that tasks use in turn. It belongs to the loop of the ctx that
// it was made with; its methods may be called by tasks of that loop.
//
// Invariant: each resource that is open, and each being made, holds a permit of turns
// or is idle, and those that are idle and those that hold a permit are Max at most:
// nobody makes one while one is idle.
type Pool[T any] struct {
	config Config[T]
	loop   *reactor.Loop
	shield context.Context // for closing
	turns  *reactor.Semaphore
	idle   []*resource[T] // the one used last is at the end
	reaper *reactor.Timer // nil before the first is idle that will not stay so
	reapAt time.Duration  // when it fires, if it does
	reaps  bool           // it does
	closed reactor.Event
	empty  reactor.Event // none is open, once the pool is closed

	open, leased, waiting int
}

// A resource is one of a pool's: open, and not yet being closed.
type resource[T any] struct {
	value       T
	made, freed time.Duration // in the loop's time
}

// New returns an empty pool. When ctx is done, the pool is closed as by Close. It
// panics without a Dial or a positive Max.
func New[T any](ctx context.Context, c Config[T]) *Pool[T] {
	if c.Dial == nil || c.Max <= 0 {
		panic("pool: New needs a Dial and a positive Max")
	}
	if c.CloseTimeout == 0 {
		c.CloseTimeout = 5 * time.Second
	}
	p := &Pool[T]{
		config: c,
		loop:   reactor.LoopOf(ctx),
		shield: context.WithoutCancel(ctx),
		turns:  reactor.NewSemaphore(c.Max),
	}
	reactor.Go(ctx, func(ctx context.Context) error {
		p.closed.Wait(ctx)
		p.shut()
		return nil
	}).SetName("closes a pool when its ctx is done")
	return p
}

// Do calls f with a resource, which it waits for as [Pool.Get] does. It is used again
// if f returns nil, or an error after which Keep allows it. It is closed if f fails
// otherwise or panics, and always if ctx is done by then: nobody knows how far f has
// come.
func (p *Pool[T]) Do(ctx context.Context, f func(ctx context.Context, v T) error) error {
	lease, err := p.Get(ctx)
	if err != nil {
		return err
	}
	defer lease.Discard() // unless it is released
	err = f(ctx, lease.Value)
	if ctx.Err() == nil && (err == nil || p.config.Keep != nil && p.config.Keep(lease.Value, err)) {
		lease.Release()
	}
	return err
}

// Get returns a resource for the task to use, until it gives it back by
// [Lease.Release] or [Lease.Discard]. If Max are in use it waits; tasks are served in
// the order in which they came. The error is that of Dial, that of ctx, or [reactor.ErrClosed].
// A Dial that fails has the next task in line try.
func (p *Pool[T]) Get(ctx context.Context) (*Lease[T], error) {
	p.waiting++
	err := p.turns.Acquire(ctx, 1)
	p.waiting--
	if err != nil {
		if ctx.Err() == nil {
			err = reactor.ErrClosed // there are no permits any more
		}
		return nil, err
	}
	returned := false
	defer func() {
		if !returned {
			p.turns.Release(1)
		}
	}()
	r, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	returned = true
	p.leased++
	return &Lease[T]{Value: r.value, pool: p, resource: r}, nil
}

// take returns a resource that was idle, or a new one. The caller has a permit.
func (p *Pool[T]) take(ctx context.Context) (*resource[T], error) {
	for len(p.idle) > 0 {
		if r := p.pop(); p.reuse(ctx, r) {
			return r, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if p.closed.IsSet() {
		return nil, reactor.ErrClosed
	}
	return p.dial(ctx)
}

// pop takes the idle resource that was used last.
func (p *Pool[T]) pop() *resource[T] {
	last := len(p.idle) - 1
	r := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return r
}

// reuse reports whether r, which was idle, can be used again. If not, it closes r.
func (p *Pool[T]) reuse(ctx context.Context, r *resource[T]) (ok bool) {
	defer func() {
		if !ok {
			p.end(r)
		}
	}()
	now := p.loop.Time()
	if p.expired(r, now) {
		return false
	}
	if p.config.Check == nil || now-r.freed < p.config.CheckAfter {
		return true
	}
	return p.config.Check(ctx, r.value) == nil && !p.closed.IsSet()
}

func (p *Pool[T]) dial(ctx context.Context) (*resource[T], error) {
	dialled := false
	p.open++
	defer func() {
		if !dialled {
			p.gone()
		}
	}()
	v, err := p.config.Dial(ctx)
	if err != nil {
		return nil, err
	}
	dialled = true
	r := &resource[T]{value: v, made: p.loop.Time()}
	if p.closed.IsSet() {
		p.end(r)
		return nil, reactor.ErrClosed
	}
	return r, nil
}

// A Lease is the right to use a resource. One that is given back, by whichever method,
// is over: to give it back again does nothing, so that Discard can be deferred.
type Lease[T any] struct {
	Value T

	pool     *Pool[T]
	resource *resource[T] // nil once it is over
}

// Release gives the resource back, to be used again. It does not suspend.
func (l *Lease[T]) Release() {
	r := l.over()
	if r == nil {
		return
	}
	p := l.pool
	r.freed = p.loop.Time()
	if p.closed.IsSet() {
		p.endInTurn(r)
		return
	}
	p.idle = append(p.idle, r)
	p.watch(r)
	p.turns.Release(1)
}

// Discard closes the resource, which is broken or in an unknown state. It does not
// suspend. Another can be made once it is closed.
func (l *Lease[T]) Discard() {
	if r := l.over(); r != nil {
		l.pool.endInTurn(r)
	}
}

func (l *Lease[T]) over() *resource[T] {
	r := l.resource
	if r != nil {
		l.resource = nil
		l.pool.leased--
	}
	return r
}

// endInTurn closes r in a task of its own, which gives back r's permit afterwards.
func (p *Pool[T]) endInTurn(r *resource[T]) {
	reactor.Go(p.shield, func(context.Context) error {
		defer p.turns.Release(1)
		p.end(r)
		return nil
	})
}

// end closes r, even if the task that calls it is cancelled.
func (p *Pool[T]) end(r *resource[T]) {
	defer p.gone()
	reactor.Timeout(p.shield, p.config.CloseTimeout, func(ctx context.Context) error {
		if p.config.Close != nil {
			return p.config.Close(ctx, r.value)
		}
		if c, ok := any(r.value).(io.Closer); ok {
			return c.Close()
		}
		return nil
	})
}

// gone notes that a resource is no more.
func (p *Pool[T]) gone() {
	p.open--
	if p.open == 0 && p.closed.IsSet() {
		p.empty.Set()
	}
}

// Close closes the pool: tasks that wait for a resource, or ask for one from now on,
// get reactor.ErrClosed, and those that are idle are closed. It waits until those in use have
// been given back and closed too, or for the end of ctx. Closing again waits as well.
func (p *Pool[T]) Close(ctx context.Context) error {
	p.shut()
	return p.empty.Wait(ctx)
}

// shut closes the pool without waiting.
func (p *Pool[T]) shut() {
	if p.closed.IsSet() {
		return
	}
	p.closed.Set()
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for len(p.idle) > 0 {
		r := p.pop()
		reactor.Go(p.shield, func(context.Context) error { p.end(r); return nil })
	}
	p.turns.SetTotal(0) // the error of those that wait
	if p.open == 0 {
		p.empty.Set()
	}
}

// Stats are the numbers of a pool at a moment.
type Stats struct {
	Open    int // resources that are not closed, with those being made
	Idle    int // of these: that nobody uses
	Leased  int // of these: that are in use
	Waiting int // tasks in line
}

// Stats returns the pool's numbers now.
func (p *Pool[T]) Stats() Stats { return Stats{p.open, len(p.idle), p.leased, p.waiting} }
