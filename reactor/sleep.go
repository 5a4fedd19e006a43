package reactor

import (
	"context"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Sleep suspends the running task for d, never for less, and returns nil, or
// ctx's error if ctx is done first. Tasks whose sleeps end at the same time
// wake in the order in which they fell asleep. For a d of zero or less it is
// [Yield]. It costs no allocation, whatever the number of sleepers.
func Sleep(ctx context.Context, d time.Duration) error {
	w, s, err := core.Await(ctx, "Sleep")
	if err != nil {
		return err
	}
	if d <= 0 {
		w.Yield()
		return nil
	}
	return sleep(w, s, w.Loop().After(d))
}

// SleepUntil suspends the running task until the given time of day, never for
// less, as [Sleep] does: for a time that is past it is [Yield]. It goes by ctx's
// loop, like [Now]: in real time a change of the system's clock during the sleep
// does not move its end.
func SleepUntil(ctx context.Context, t time.Time) error {
	w, s, err := core.Await(ctx, "SleepUntil")
	if err != nil {
		return err
	}
	until := w.Loop().TimeAt(t, ctx)
	if until <= w.Loop().Now() {
		w.Yield()
		return nil
	}
	return sleep(w, s, until)
}

// Yield lets every other task and callback that is ready run once, and returns
// nil, or ctx's error, at once, if ctx is done. It never blocks the loop and
// allocates nothing. (asyncio's sleep(0).)
func Yield(ctx context.Context) error {
	w, _, err := core.Await(ctx, "Yield")
	if err == nil {
		w.Yield()
	}
	return err
}

// waitingFor says what a task waits for, where it is no object with a name.
type waitingFor string

func (s waitingFor) String() string { return string(s) }

// sleep parks the running task until the loop's time is until, or s is done.
func sleep(w *core.Worker, s *core.Scope, until int64) error {
	w.WakeAt(until)
	if w.Park(s, waitingFor("a sleep to end")) == core.WokenCanceled {
		return s.AwaitErr()
	}
	return nil
}
