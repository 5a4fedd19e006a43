package reactor

import (
	"context"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Sleep suspends the running task for at least d and returns nil, or ctx's
// error if ctx is done first. Tasks whose sleeps end at the same time wake in
// the order of their calls. If d is zero or less, Sleep is [Yield]. It does not
// allocate.
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

// SleepUntil suspends the running task until the given time of day, like
// [Sleep]; for a time in the past it is [Yield]. It uses the clock of ctx's
// loop, like [Now]. In real time, changes of the system's clock during the
// sleep do not move its end.
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

// Yield lets every other ready task and callback run once and returns nil. If
// ctx is done, it returns ctx's error at once. It never blocks the loop and
// does not allocate. (asyncio's sleep(0).)
func Yield(ctx context.Context) error {
	w, _, err := core.Await(ctx, "Yield")
	if err == nil {
		w.Yield()
	}
	return err
}

// waitingFor describes what a task waits for, if that is not an object with a
// name.
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
