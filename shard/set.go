package shard

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
)

// A set is a Program in progress.
type set[T any] struct {
	program Program[T]
	shards  []*Shard[T]
	ctx     context.Context // of the loops
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
	begun   phase // all loops exist
	ready   phase // all states are set up
	ended   phase // Main has ended on all
	over    phase // and so has Teardown
}

func newSet[T any](ctx context.Context, p Program[T]) *set[T] {
	if p.Shards == 0 {
		p.Shards = runtime.GOMAXPROCS(0)
	}
	g := &set[T]{program: p}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	for _, p := range g.phases() {
		p.init(g.program.Shards)
	}
	for i := range p.Shards {
		g.shards = append(g.shards, &Shard[T]{set: g, index: i})
	}
	return g
}

func (g *set[T]) phases() []*phase { return []*phase{&g.begun, &g.ready, &g.ended, &g.over} }

// isWhole reports whether all loops exist, once they have begun or can't any more. If one
// can't, all are cancelled.
func (g *set[T]) isWhole() bool {
	return !slices.ContainsFunc(g.shards, func(s *Shard[T]) bool { return s.loop == nil })
}

// result returns the errors of the shards; or one that only echoes the end of Run's ctx, if
// there is no other.
func (g *set[T]) result() error {
	var errs []error
	var echo error
	for _, s := range g.shards {
		switch {
		case s.err != nil:
			errs = append(errs, s.err)
		case echo == nil:
			echo = s.echo
		}
	}
	switch len(errs) {
	case 0:
		return echo
	case 1:
		return errs[0]
	}
	return errors.Join(errs...)
}
