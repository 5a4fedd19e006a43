package shard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Shard is one of the loops of a [Program], with its state. Unless documented
// otherwise, its methods may be called from any goroutine.
type Shard[T any] struct {
	set   *set[T]
	index int
	loop  *reactor.Loop
	base  context.Context // of called functions: it has the values of Run's ctx

	state T
	isSet bool
	over  atomic.Bool // the loop has ended

	err    error // why the shard has failed
	echo   error // what only echoes the cancellation of all
	exited bool  // its main called runtime.Goexit
}

type shardKey struct{}

// Of returns the shard that ctx belongs to, of a Program with this type of state; nil if
// there is none.
func Of[T any](ctx context.Context) *Shard[T] {
	s, _ := ctx.Value(shardKey{}).(*Shard[T])
	return s
}

// Index returns the number of the shard, from 0.
func (s *Shard[T]) Index() int { return s.index }

// All returns all shards of the program, by their numbers. The slice is a copy.
func (s *Shard[T]) All() []*Shard[T] { return slices.Clone(s.set.shards) }

// Peer returns a shard of the program by its number.
func (s *Shard[T]) Peer(index int) *Shard[T] { return s.set.shards[index] }

// Loop returns the shard's loop.
func (s *Shard[T]) Loop() *reactor.Loop { return s.loop }

// String returns "shard" and the shard's number.
func (s *Shard[T]) String() string { return fmt.Sprint("shard ", s.index) }

// State returns what Setup has returned. Only tasks and callbacks of the shard's own
// loop may call it, and anybody once Run has returned; for others it panics.
func (s *Shard[T]) State() T {
	switch {
	case !s.core().OnThread() && !s.over.Load():
		panic(fmt.Sprintf("shard: State of %v called outside of its loop: use shard.Call, with a function that works with it there", s))
	case !s.isSet:
		panic(fmt.Sprintf("shard: State of %v called before its Setup has returned", s))
	}
	return s.state
}

func (s *Shard[T]) core() *core.Loop { return s.loop.Core() }

// Post makes the shard's loop call f, as a callback, which must not suspend. It never
// blocks, and does not wait for f; there is no bound on how many such messages may be on
// their way. Those of one goroutine or loop keep their order. The
// error is [reactor.ErrLoopClosed] if the shard has ended.
func (s *Shard[T]) Post(f func(s *Shard[T])) error {
	if f == nil {
		return errors.New("shard: Post of a nil function")
	}
	return s.loop.Post(func() { f(s) })
}

// runLoop runs the shard's loop, on a goroutine of its own.
func (s *Shard[T]) runLoop() {
	returned := false
	defer func() {
		s.over.Store(true)
		s.exited = s.exited || !returned
		for _, p := range s.set.phases() {
			p.end(s.index, nil)
		}
	}()
	o := s.set.program.Loop
	o.Name = s.String()
	err := o.Run(s.set.ctx, s.run)
	switch {
	case err == nil:
	case s.loop == nil && s.set.ctx.Err() != nil:
		s.echo = err
	default:
		s.err = err
		s.set.cancel(s.failure(err))
	}
	returned = true
}

// failure returns the cause with which all are cancelled when s has failed.
func (s *Shard[T]) failure(err error) error { return fmt.Errorf("%v has failed: %w", s, err) }

// run is the first task of the shard's loop.
func (s *Shard[T]) run(ctx context.Context) error {
	g := s.set
	shielded := context.WithoutCancel(ctx)
	s.base = context.WithValue(shielded, shardKey{}, s)
	s.loop = reactor.LoopOf(ctx)
	if len(g.shards) > 1 {
		s.core().Outside(1) // other shards may wake its tasks
	}
	main := reactor.Go(context.WithValue(ctx, shardKey{}, s), s.main)
	err := s.settle(ctx, main.Wait(shielded))
	g.begun.end(s.index, s.core())
	g.ready.end(s.index, s.core())
	g.ended.end(s.index, s.core())
	if lost := g.ended.wait(ctx, s.index); lost != nil { // a task has panicked, or all end
		if g.ctx.Err() == nil {
			g.cancel(s.failure(lost))
		}
		g.ended.wait(shielded, s.index)
	}
	if s.isSet && g.program.Teardown != nil {
		err = errors.Join(err, reactor.Go(s.base, s.tearDown).Wait(shielded))
	}
	g.over.end(s.index, s.core())
	g.over.wait(shielded, s.index)
	return err
}

// main goes through the phases that can be cancelled.
func (s *Shard[T]) main(ctx context.Context) (err error) {
	g := s.set
	g.begun.end(s.index, s.core())
	if err := g.begun.wait(ctx, s.index); err != nil {
		return err
	}
	if !g.isWhole() {
		return reactor.Sleep(ctx, math.MaxInt64) // until the cancellation arrives
	}
	if g.program.Setup != nil {
		if s.state, err = g.program.Setup(ctx, s); err != nil {
			return err
		}
	}
	s.isSet = true
	g.ready.end(s.index, s.core())
	if err := g.ready.wait(ctx, s.index); err != nil {
		return err
	}
	return g.program.Main(ctx, s)
}

func (s *Shard[T]) tearDown(ctx context.Context) error { return s.set.program.Teardown(ctx, s) }

// settle handles the error with which the phases of main have ended: unless it only
// echoes that all are cancelled, it cancels them. It returns what s fails with.
func (s *Shard[T]) settle(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case s.set.ctx.Err() != nil && core.Nearest(ctx).Echoes(err):
		s.echo = err
		return nil
	case isExit(err):
		s.exited = true
	}
	s.set.cancel(s.failure(err))
	return err
}

// isExit reports whether err is that of a task that called runtime.Goexit.
func isExit(err error) bool {
	p, ok := err.(*reactor.PanicError)
	return ok && p.Value == reactor.ErrGoexit
}
