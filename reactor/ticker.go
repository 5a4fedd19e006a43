package reactor

import (
	"context"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Ticker ticks at regular intervals: its ticks are due at multiples of the
// interval after its start, however long the work between them takes. It needs
// no goroutine, and no timer while no task waits. Its methods may be called by
// tasks of its loop, and Reset and Stop by callbacks too.
type Ticker struct {
	_       noCopy
	loop    *core.Loop
	every   int64
	due     int64 // the loop's time of the next tick
	stopped bool
	waiters core.WaitList
}

// NewTicker returns a Ticker whose first tick is due after d. It may be called by
// tasks and callbacks of ctx's loop; it panics elsewhere, and if d is zero or
// less.
func NewTicker(ctx context.Context, d time.Duration) *Ticker {
	s := core.Under(ctx, "NewTicker")
	t := &Ticker{loop: s.Loop()}
	t.begin("NewTicker", d)
	return t
}

func (t *Ticker) begin(op string, d time.Duration) {
	t.loop.OnLoop(op)
	if d <= 0 {
		panic("reactor: " + op + " with an interval that is not positive")
	}
	t.every, t.due = int64(d), t.loop.After(d)
}

// Next waits for the next tick and returns the time at which it was due. If one
// or more were due since the last call, Next returns the latest of them, after
// a turn of the loop: like a time.Ticker, it does not make up for missed ticks,
// and later ticks keep their times. The error is ctx's, or [ErrClosed] if the
// ticker is stopped. Several tasks may wait: each gets the tick. Next does not
// allocate.
func (t *Ticker) Next(ctx context.Context) (time.Time, error) {
	for {
		w, s, err := core.Await(ctx, "Ticker.Next")
		if err != nil {
			return time.Time{}, err
		}
		t.loop.OnLoop("Ticker.Next")
		due := t.due
		switch {
		case t.stopped:
			return time.Time{}, ErrClosed
		case due <= t.loop.Now():
			tick := t.take(due)
			w.Yield()
			return t.loop.WallOf(tick, ctx), nil
		}
		t.waiters.Push(w.Node())
		w.WakeAt(due)
		switch w.Park(s, waitingFor("a tick")) {
		case core.WokenTimer:
			return t.loop.WallOf(t.take(due), ctx), nil
		case core.WokenCanceled:
			return time.Time{}, s.AwaitErr()
		case core.WokenClosed:
			return time.Time{}, ErrClosed
		}
	}
}

// take returns the latest tick that is due, at due or later, and sets the next
// one, unless another task or a Reset has done so.
func (t *Ticker) take(due int64) int64 {
	if t.due != due {
		return due
	}
	due += (t.loop.Now() - due) / t.every * t.every
	t.due = due + min(t.every, int64(core.MaxTime)-due)
	return due
}

// Reset restarts the ticker, even if it was stopped: the next tick is due after
// d, and further ones at that interval. Waiting tasks then wait for that tick.
// It panics if d is zero or less.
func (t *Ticker) Reset(d time.Duration) {
	t.begin("Ticker.Reset", d)
	t.stopped = false
	t.waiters.WakeAll(core.WokenDone)
}

// Stop ends the ticks: Next returns [ErrClosed], also to waiting tasks. A
// ticker that is no longer used need not be stopped.
func (t *Ticker) Stop() {
	t.loop.OnLoop("Ticker.Stop")
	t.stopped = true
	t.waiters.WakeAll(core.WokenClosed)
}
