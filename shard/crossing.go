package shard

import (
	"context"
	"fmt"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A crossing is a function that a task of one shard has called on another. It goes there
// as a message, runs as a task, and the same message comes back with its result. The
// fields are written by the caller's loop before it goes, by the other one while it is
// there, and by the caller's again when it is back.
//
// A caller waits until all its crossings are back, also if it is cancelled: then the
// cancellation follows them. So a called function may use the caller's variables.
type crossing struct {
	message core.Message // there, and then back
	task    core.Task    // on the other shard
	body    core.Runner  // the task's
	base    context.Context
	from    fmt.Stringer // the caller's shard
	to      fmt.Stringer
	home    *core.Loop
	there   *core.Loop
	of      *gathering
	above   *crossing // of the task that called, if it was called itself

	err  error
	echo bool // err only echoes that the task was cancelled
	back bool
}

// A gathering is a task's wait for crossings.
type gathering struct {
	all     []*crossing
	left    int
	waiting core.WaitList
}

// outbound is a crossing that arrives at the other shard.
type outbound crossing

func (o *outbound) Wake() {
	c := (*crossing)(o)
	c.message.Hook = (*homebound)(c)
	if c.there.Closing() {
		c.Abandoned()
		return
	}
	c.task.Init(c.there, c.base, c.body, c)
	c.there.Push(&c.task)
}

// homebound is a crossing that comes back.
type homebound crossing

func (h *homebound) Wake() {
	h.back = true
	if h.of.left--; h.of.left == 0 || h.err != nil {
		h.of.waiting.WakeAll(core.WokenDone)
	}
}

// Ended is called when the called function has ended.
func (c *crossing) Ended(t *core.Task, echo bool) {
	t.Claim()
	c.err, c.echo = t.Outcome(), echo
	c.home.PostMessage(&c.message) // a caller whose loop has ended is gone
}

// Abandoned is called if the other shard ends without having run the function to its end.
func (c *crossing) Abandoned() {
	c.err = fmt.Errorf("shard: a call on %v: %w", c.to, reactor.ErrLoopClosed)
	c.home.PostMessage(&c.message)
}

// send sends c on its way.
func (c *crossing) send() {
	c.message.Hook = (*outbound)(c)
	if !c.there.PostMessage(&c.message) {
		c.message.Hook = (*homebound)(c)
		c.Abandoned()
	}
}

// cancel cancels the called function.
func (c *crossing) cancel(cause error) {
	if c.back {
		return
	}
	c.there.Post(func() {
		if c.task.Loop() != nil && !c.task.Over() {
			c.task.Cancel(cause)
		}
	})
}

// gather sends all crossings, and waits until they are back. When one fails, or s is
// done, the others are cancelled. It returns s's error if it is done.
func (g *gathering) gather(w *core.Worker, s *core.Scope) error {
	above := calledBy(w.Task())
	for _, c := range g.all {
		c.of, c.home, c.above = g, w.Loop(), above
		g.left++
	}
	for _, c := range g.all {
		c.send()
	}
	err := g.waiting.Wait(w, s, g)
	if g.left == 0 {
		return err
	}
	cause := err
	if err != nil {
		cause = context.Cause(s)
	}
	for _, c := range g.all {
		c.cancel(cause)
	}
	for g.left > 0 {
		g.waiting.Wait(w, w.Loop().Shielded(), g)
	}
	return err
}

// calledBy returns the crossing whose function t runs, or nil.
func calledBy(t *core.Task) *crossing {
	if b, ok := t.Body().(interface{ called() *crossing }); ok {
		return b.called()
	}
	return nil
}

// Describe describes what a caller waits for.
func (g *gathering) Describe(d *core.Wait) {
	for _, c := range g.all {
		if !c.back {
			d.For, d.On = "a call on", c.to
			break
		}
	}
	if g.left > 1 {
		d.After = fmt.Sprintf(" and %d more", g.left-1)
	}
}

func (g *gathering) String() string { return core.Described(g) }

// Awaits reports whether g's wait can't end before t's function returns: t was called, also by
// others that were, for one of its crossings. The wait must be for all of them.
func (g *gathering) Awaits(t *core.Task) bool {
	for c := calledBy(t); c != nil; c = c.above {
		if c.of == g {
			return true
		}
	}
	return false
}
