package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// A Cond lets tasks that hold L wait until another task signals a change. Set L
// before use. A Cond belongs to the loop of the tasks that use it, and must not
// be copied. (asyncio's Condition.)
type Cond struct {
	L       *Mutex
	home    core.Home
	waiters core.WaitList
}

// Wait unlocks c.L, waits for a signal, and always locks c.L again before it
// returns. It returns nil, or ctx's error if ctx was done before a signal. A
// signal is never lost: a task that got one returns nil even if ctx is done by
// the time it has the lock. Wait panics if c.L is not locked, or another task
// holds it. If c.L is broken, because its holder ended, Wait returns
// [ErrBroken] without the lock.
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

// WaitFor waits until ok, which it calls with c.L locked, returns true. The
// error is that of [Cond.Wait]; if ctx is done already, ok is not called.
func (c *Cond) WaitFor(ctx context.Context, ok func() bool) error {
	_, _, err := c.home.Await(ctx, "Cond.WaitFor")
	for err == nil && !ok() {
		err = c.Wait(ctx)
	}
	return err
}

// Signal readies the task that has waited longest, if any. It panics if c.L is
// not locked.
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
