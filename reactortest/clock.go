package reactortest

import (
	"context"
	"math"
	"time"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
)

// A Clock is the virtual clock of [Run] and [Simulate]. It starts at zero, which is
// midnight of 2000-01-01 UTC. It stands still while any task can run, and jumps to the
// next deadline when none can. A test can hold it, and then move it by hand. Methods
// with a ctx are for tasks. Tasks and callbacks may call the others.
type Clock struct {
	sim      *simulator
	held     bool
	until    int64 // the time that a held clock may reach
	stepping bool
	ran      uint64 // simulator.ran when the step began
	drivers  []*reactor.Future[struct{}]
}

// ClockOf returns the virtual clock of ctx's loop, or nil if it has none.
func ClockOf(ctx context.Context) *Clock {
	if sim := simulatorOf(ctx); sim != nil {
		return &sim.clock
	}
	return nil
}

// Now returns how long the clock has run. It may be called from anywhere.
func (c *Clock) Now() time.Duration { return time.Duration(c.sim.elapsed()) }

// Hold stops the clock: from now on only Advance and Step move it. If all tasks then
// wait, and none of them moves the clock, the run ends with a deadlock.
func (c *Clock) Hold() {
	c.held, c.until = true, c.sim.time()
}

// Release lets a held clock jump again.
func (c *Clock) Release() { c.held = false }

// Settle suspends the running task until all others wait and nothing more can happen
// until the clock moves. It returns ctx's error if ctx is done first.
func (c *Clock) Settle(ctx context.Context) error {
	var f reactor.Future[struct{}]
	c.drivers = append(c.drivers, &f)
	_, err := f.Await(ctx)
	return err
}

// Advance holds the clock and moves it by d, stopping at each deadline on the way and
// at those that are due at the end. Then it settles.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	if err := c.Settle(ctx); err != nil {
		return err
	}
	c.held = true
	c.until = c.sim.time()
	c.until += min(int64(max(0, d)), math.MaxInt64-c.until)
	return c.Settle(ctx)
}

// Step holds the clock and moves it to the next moment at which something happens. Then
// it settles. It does nothing if nothing will ever happen.
func (c *Clock) Step(ctx context.Context) error {
	if err := c.Settle(ctx); err != nil {
		return err
	}
	c.held, c.stepping = true, true
	c.until, c.ran = c.sim.time(), math.MaxUint64
	err := c.Settle(ctx)
	c.stepping = false
	return err
}

// Spend moves the clock by d while its caller runs, as a long computation does. Timers
// that become due meanwhile are late.
func (c *Clock) Spend(d time.Duration) {
	sim := c.sim
	to := sim.time() + min(int64(max(0, d)), math.MaxInt64-sim.time())
	c.until = max(c.until, to)
	sim.set(to) // Turn returns its error
}

// move is called when all tasks wait. It moves the clock, to next if there is one, and
// reports that it has; or else it readies the tasks that move the clock by hand. If there
// are none, it returns simulation.ErrIdle.
func (c *Clock) move(next int64, any bool) (moved bool, err error) {
	sim := c.sim
	if c.stepping && any {
		if c.ran == math.MaxUint64 { // the first call of this step
			c.until, c.ran = next, sim.ran
		} else if c.ran == sim.ran { // nothing happened at that moment
			c.until = next
		}
	}
	limit := int64(math.MaxInt64)
	if c.held {
		limit = c.until
	}
	switch {
	case any && next <= limit && (c.held || len(c.drivers) == 0):
		return true, sim.set(next)
	case c.held && sim.time() < limit:
		return true, sim.set(limit)
	case len(c.drivers) > 0:
		c.release()
		return false, nil
	}
	return false, simulation.ErrIdle
}

// release readies the tasks in Settle.
func (c *Clock) release() {
	drivers := c.drivers
	c.drivers = nil
	for _, f := range drivers {
		f.SetResult(struct{}{})
	}
}
