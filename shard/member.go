package shard

import (
	"context"
	"fmt"

	"github.com/eddyio/eddy/reactor/core"
)

// A member is a Shard of any type of state.
type member interface {
	fmt.Stringer
	Index() int
	core() *core.Loop
	base0() context.Context
	shards() int
	member(index int) member
}

func (s *Shard[T]) base0() context.Context  { return s.base }
func (s *Shard[T]) shards() int             { return len(s.set.shards) }
func (s *Shard[T]) member(index int) member { return s.set.shards[index] }

// callMember calls f on another shard, as Call does.
func callMember(ctx context.Context, from, to member, f func(ctx context.Context) error) error {
	w, scope, err := core.Await(ctx, "a call on another shard")
	if err != nil {
		return err
	}
	c := &memberCall{f: f}
	c.body, c.base, c.there, c.to, c.from = c, to.base0(), to.core(), to, from
	g := gathering{all: []*crossing{&c.crossing}}
	if err := g.gather(w, scope); err != nil && c.echo {
		return err
	}
	return c.err
}

// A memberCall is a crossing for the package's own use.
type memberCall struct {
	crossing
	f func(ctx context.Context) error
}

func (c *memberCall) Run(ctx context.Context) error { return c.f(ctx) }

func (c *memberCall) Over(error) {}

func (c *memberCall) called() *crossing { return &c.crossing }

// Label names the task.
func (c *memberCall) Label() (string, fmt.Stringer) { return "called by", c.from }
