package reactortest

import (
	"context"
	"math"
	"time"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
)

// A Clock is the virtual clock of [Run] and [Simulate]. It starts at zero, which
// is midnight of 2000-01-01 UTC, stands still while any task can run, and jumps
// to the next deadline when none can. A test that wants to look closer holds it,
// and moves it by hand. Its methods that take a ctx are for tasks; the others
// may be called by tasks and callbacks.
type Clock struct {
	world    *world
	held     bool
	until    int64 // how far a held clock may go
	stepping bool
	ran      uint64 // world.ran when the step began
	drivers  []*reactor.Future[struct{}]
}

// ClockOf returns the clock of ctx's loop, or nil if it has no virtual one.
func ClockOf(ctx context.Context) *Clock {
	if w := worldOf(ctx); w != nil {
		return &w.clock
	}
	return nil
}

// Now returns how long the clock has run. It may be called from anywhere.
func (c *Clock) Now() time.Duration { return time.Duration(c.world.elapsed()) }

// Hold stops the clock: from now on only Advance and Step move it. If all tasks
// wait then, and none of them will move it, that is a deadlock.
func (c *Clock) Hold() {
	c.held, c.until = true, c.world.time()
}

// Release lets a held clock jump again.
func (c *Clock) Release() { c.held = false }

// Settle suspends the running task until all others wait, and nothing more can
// happen unless the clock moves. The error is ctx's, if that is done first.
func (c *Clock) Settle(ctx context.Context) error {
	var f reactor.Future[struct{}]
	c.drivers = append(c.drivers, &f)
	_, err := f.Await(ctx)
	return err
}

// Advance moves a held clock by d, through all deadlines on the way, each of
// which is met exactly, and to those that are due at its end. Then it settles. A
// clock that is not held is held from now on.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	if err := c.Settle(ctx); err != nil {
		return err
	}
	c.held = true
	c.until = c.world.time()
	c.until += min(int64(max(0, d)), math.MaxInt64-c.until)
	return c.Settle(ctx)
}

// Step moves a held clock to the next moment at which something happens, and
// settles. It does nothing if nothing is ever going to happen. A clock that is
// not held is held from now on.
func (c *Clock) Step(ctx context.Context) error {
	if err := c.Settle(ctx); err != nil {
		return err
	}
	c.held, c.stepping = true, true
	c.until, c.ran = c.world.time(), math.MaxUint64
	err := c.Settle(ctx)
	c.stepping = false
	return err
}

// Spend moves the clock by d while its caller runs, as a long computation does:
// what falls due meanwhile is late.
func (c *Clock) Spend(d time.Duration) {
	w := c.world
	to := w.time() + min(int64(max(0, d)), math.MaxInt64-w.time())
	c.until = max(c.until, to)
	w.set(to) // an error is kept, for Turn
}

// move moves the clock when all tasks wait, to next if there is one. It says
// whether it moved, or readied those who move it by hand. The error is
// simulation.ErrIdle when neither can be.
func (c *Clock) move(next int64, any bool) (moved bool, err error) {
	w := c.world
	if c.stepping && any {
		if c.ran == math.MaxUint64 { // the first look
			c.until, c.ran = next, w.ran
		} else if c.ran == w.ran { // a moment at which nothing happened
			c.until = next
		}
	}
	limit := int64(math.MaxInt64)
	if c.held {
		limit = c.until
	}
	switch {
	case any && next <= limit && (c.held || len(c.drivers) == 0):
		return true, w.set(next)
	case c.held && w.time() < limit:
		return true, w.set(limit)
	case len(c.drivers) > 0:
		c.settled()
		return false, nil
	}
	return false, simulation.ErrIdle
}

// settled readies those who wait for all others.
func (c *Clock) settled() {
	drivers := c.drivers
	c.drivers = nil
	for _, f := range drivers {
		f.SetResult(struct{}{})
	}
}
