// Package pool answers: how do tasks share resources that are expensive to
// make, such as connections? When the maximum is in use, a task waits in line,
// without blocking the loop.
//
// Resources may be of any type, and using them may suspend. The package uses
// only the public API of package reactor.
package pool

import (
	"context"
	"io"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A Config configures a [Pool]. Dial and Max are required; all other fields may
// be zero.
type Config[T any] struct {
	// Dial makes a resource. It is called by the task that gets the resource,
	// with that task's ctx.
	Dial func(ctx context.Context) (T, error)

	// Max is the largest number of resources at a time: in use, idle, being
	// made or being closed.
	Max int

	// Close ends a resource, in a task of its own and within CloseTimeout. nil
	// means its method Close, if it is an io.Closer. Its error is ignored.
	Close func(ctx context.Context, v T) error

	// Check, if set, is called before a resource that was idle for CheckAfter
	// or longer is used again. If it returns an error, the resource is closed,
	// and another is used or made.
	Check      func(ctx context.Context, v T) error
	CheckAfter time.Duration

	// Keep reports whether a resource can be used again after a function passed
	// to Do has returned err. If Keep is nil, it can't.
	Keep func(v T, err error) bool

	// IdleTime is how long a resource may be idle before it is closed. Lifetime
	// is how long after it was made it is closed, once it is idle. 0 means no
	// limit.
	IdleTime, Lifetime time.Duration

	// CloseTimeout bounds Close. 0 means five seconds.
	CloseTimeout time.Duration
}

// A Pool holds resources that tasks use in turn. It belongs to the loop of the ctx that
// it was made with; its methods may be called by tasks of that loop.
//
// Invariant: each resource that is open or being made either holds a permit of
// turns or is idle, and their number is at most Max: none is made while one is
// idle.
type Pool[T any] struct {
	config Config[T]
	loop   *reactor.Loop
	shield context.Context // for closing
	turns  *reactor.Semaphore
	idle   []*resource[T] // the last used one is at the end
	reaper *reactor.Timer // nil until a resource with a time limit is idle
	reapAt time.Duration  // when it fires, if reaps
	reaps  bool           // it is set
	closed reactor.Event
	empty  reactor.Event // none is open, once the pool is closed

	open, leased, waiting int
}

// A resource is an open resource of a pool.
type resource[T any] struct {
	value       T
	made, freed time.Duration // in the loop's time
}

// New returns an empty pool. When ctx is done, the pool is closed as by Close.
// It panics unless Dial is set and Max is positive.
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

// Do calls f with a resource, for which it waits like [Pool.Get]. The resource
// is used again if f returns nil, or an error for which Keep returns true. It
// is closed if f returns another error or panics, and always if ctx is done by
// then, because its state is unknown.
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

// Get returns a resource that the task may use until it calls [Lease.Release]
// or [Lease.Discard]. If Max are in use it waits; tasks are served in the order
// of their calls. The error is that of Dial, that of ctx, or
// [reactor.ErrClosed]. When a Dial fails, the next task in line tries.
func (p *Pool[T]) Get(ctx context.Context) (*Lease[T], error) {
	p.waiting++
	err := p.turns.Acquire(ctx, 1)
	p.waiting--
	if err != nil {
		if ctx.Err() == nil {
			err = reactor.ErrClosed // there are no more permits
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

// pop removes and returns the idle resource that was used last.
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

// A Lease is the right to use a resource. Release and Discard end it;
// afterwards both do nothing, so that Discard can be deferred.
type Lease[T any] struct {
	Value T

	pool     *Pool[T]
	resource *resource[T] // nil once the lease is over
}

// Release returns the resource to the pool, to be used again. It does not
// suspend.
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

// Discard closes the resource, for one that is broken or in an unknown state.
// It does not suspend. Another can be made once it is closed.
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

// endInTurn closes r in a task of its own, which then releases r's permit.
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

// gone counts a resource as gone.
func (p *Pool[T]) gone() {
	p.open--
	if p.open == 0 && p.closed.IsSet() {
		p.empty.Set()
	}
}

// Close closes the pool: tasks that wait for a resource, or ask for one later,
// get reactor.ErrClosed, and idle resources are closed. It waits until those in
// use have been returned and closed too, or until ctx is done. Closing again
// waits as well.
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
	p.turns.SetTotal(0) // gives waiters their error
	if p.open == 0 {
		p.empty.Set()
	}
}

// Stats holds the counts of a pool at a moment.
type Stats struct {
	Open    int // resources that are not closed, including those being made
	Idle    int // of these: idle
	Leased  int // of these: in use
	Waiting int // tasks in line
}

// Stats returns the pool's present counts.
func (p *Pool[T]) Stats() Stats { return Stats{p.open, len(p.idle), p.leased, p.waiting} }
