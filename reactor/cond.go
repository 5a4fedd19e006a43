package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// A Cond lets tasks wait, inside a region that L protects, until another one
// says that something has changed. Set L before use; it belongs to the loop of
// the tasks that use it, and must not be copied. (asyncio's Condition.)
type Cond struct {
	L       *Mutex
	home    core.Home
	waiters core.WaitList
}

// Wait unlocks c.L, waits for a signal, and locks c.L again before it
// returns, whatever it returns: nil, or ctx's error if ctx was done before a
// signal came. A signal is never lost: a task that got one returns nil even if ctx
// is done by the time that it has the lock. It panics if c.L
// is not locked, or another task holds it. If c.L is broken, as its holder ended,
// Wait returns [ErrBroken] and does not have it.
func (c *Cond) Wait(ctx context.Context) error {
	w, s, err := c.home.Await(ctx, "Cond.Wait")
	c.locked("Cond.Wait")
	if err != nil {
		return err
	}
	if c.L.broken != nil {
		return c.L.broken
	}
	c.L.unlock("Cond.Wait")
	err = c.waiters.Wait(w, s, waitingFor("a condition"))
	if broken := c.L.lock(w, w.Loop().Shielded()); broken != nil {
		return broken
	}
	return err
}

// locked panics unless c has a mutex, and that is locked.
func (c *Cond) locked(op string) {
	if c.L == nil {
		panic("reactor: " + op + " of a Cond without a mutex: set L before use")
	}
	if !c.L.Locked() {
		panic("reactor: " + op + " while its mutex is not locked")
	}
}

// WaitFor waits until ok, called with c.L locked, returns true. The error is that
// of [Cond.Wait]; if ctx is done at once, ok is not called.
func (c *Cond) WaitFor(ctx context.Context, ok func() bool) error {
	_, _, err := c.home.Await(ctx, "Cond.WaitFor")
	for err == nil && !ok() {
		err = c.Wait(ctx)
	}
	return err
}

// Signal readies the task that has waited longest, if any waits. It panics if c.L
// is not locked.
func (c *Cond) Signal() {
	c.enter("Cond.Signal")
	c.waiters.WakeFirst(core.WokenDone)
}

// Broadcast readies all tasks that wait. It panics if c.L is not locked.
func (c *Cond) Broadcast() {
	c.enter("Cond.Broadcast")
	c.waiters.WakeAll(core.WokenDone)
}

func (c *Cond) enter(op string) {
	c.home.OnLoop(op)
	c.locked(op)
}
