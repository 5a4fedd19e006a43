package shard

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Program is run on several loops at a time, each with a state of type T. It has
// three phases. A phase begins on all shards when the one before has ended on all of
// them, and so do the loops: in each phase, every shard can call every other one.
type Program[T any] struct {
	// Shards is the number of loops; 0 means [runtime.GOMAXPROCS].
	Shards int

	// Loop holds the options of the loops. Their Name is set to "shard 0" and so on. A
	// Logger, OnError and OnBlocked are used by all of them, at the same time; a Clock,
	// a Poller, Sockets and a Simulation can't be shared.
	Loop reactor.Options

	// Setup returns the shard's state. nil means T's zero value.
	Setup func(ctx context.Context, s *Shard[T]) (T, error)

	// Main is the program. Its ctx is cancelled when that of Run is done, or another
	// shard has failed.
	Main func(ctx context.Context, s *Shard[T]) error

	// Teardown, if set, is called on each shard whose Setup has succeeded, when Main
	// has ended on all, whether or not they have failed. Its ctx is not cancelled.
	Teardown func(ctx context.Context, s *Shard[T]) error
}

// Run runs main on as many shards as there are processors ([runtime.GOMAXPROCS]),
// which have no state. See [Program.Run].
func Run(ctx context.Context, main func(ctx context.Context, s *Shard[struct{}]) error) error {
	return Program[struct{}]{Main: main}.Run(ctx)
}

// Run runs the program, and returns when it has ended on all shards. Each shard's loop
// has a goroutine of its own, which is locked to its thread; Run's caller waits.
//
// If a phase fails on one shard, by an error, a panic, or a task's panic that nobody
// awaits, the ctx of all shards is cancelled. Run waits for them and returns all
// errors, joined by [errors.Join] in the order of the shards, except those that only
// echo the cancellation. If ctx is done and nothing else has failed, the error is
// ctx's, unless Main returns nil then, as servers do. If a shard's Main calls
// runtime.Goexit, Run calls it too, after all shards have ended.
//
// Run must not be called by a task: it returns [reactor.ErrNested] then.
func (p Program[T]) Run(ctx context.Context) error {
	if err := p.check(ctx); err != nil {
		return err
	}
	g := newSet(ctx, p)
	defer g.cancel(nil)
	for _, s := range g.shards {
		g.running.Go(s.runLoop)
	}
	g.running.Wait()
	for _, s := range g.shards {
		if s.exited {
			runtime.Goexit()
		}
	}
	return g.result()
}

func (p *Program[T]) check(ctx context.Context) error {
	switch o := &p.Loop; {
	case p.Main == nil:
		return errors.New("shard: a Program without Main")
	case ctx == nil:
		return errors.New("shard: Run with a nil ctx: use context.Background()")
	case core.InTask(ctx):
		return reactor.ErrNested
	case p.Shards < 0:
		return fmt.Errorf("shard: %d shards", p.Shards)
	case o.Clock != nil || o.Poller != nil || o.Sockets != nil || o.Simulation != nil:
		return errors.New("shard: several loops can't share a Clock, a Poller, Sockets or a Simulation")
	case core.InBubble():
		return reactor.ErrBubble
	}
	return ctx.Err()
}
