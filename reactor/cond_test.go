package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// A task that returns from Cond.Wait, notified or not, holds the lock, alone; a
// notified one returns nil, even if it was cancelled later.
func TestCondInEveryOrder(t *testing.T) {
	for _, all := range []bool{false, true} {
		enumerate(t, func(context.Context, int) contest {
			var m Mutex
			c := Cond{L: &m}
			inside := 0
			return contest{
				wait: func(ctx context.Context, i int) (string, error) {
					c.L.Lock(ctx)
					err := c.Wait(ctx)
					if inside++; inside != 1 || !m.Locked() {
						t.Error("returned without the lock")
					}
					Yield(context.WithoutCancel(ctx))
					inside--
					c.L.Unlock()
					return "", err
				},
				begin: func() {
					if !m.TryLock() {
						t.Error("the waiters have not unlocked")
					}
				},
				wake: func(queue []int) []outcome {
					if all {
						c.Broadcast()
						return everyone(queue, nil)
					}
					c.Signal()
					return first(queue)
				},
				end: func() { m.Unlock() },
				check: func() string {
					if msg := m.waiters.Check(); msg != "" {
						return msg
					}
					return c.waiters.Check()
				},
				done: func(context.Context) string {
					if m.Locked() || inside != 0 || !c.waiters.Empty() {
						return "somebody still has the lock, or waits"
					}
					return ""
				},
			}
		})
	}
}

// A cancelled waiter does not return before it has the lock, however long
// another one keeps it.
func TestCondTakesTheLockAgainAfterCancel(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		var m Mutex
		c := Cond{L: &m}
		waiting := GoNow(ctx, func(ctx context.Context) error {
			m.Lock(ctx)
			defer m.Unlock()
			err := c.Wait(ctx)
			tr.add("woke")
			return err
		})
		m.Lock(ctx)
		waiting.Cancel(errBoom)
		yields(ctx, 5)
		tr.add("unlock")
		m.Unlock()
		if err := waiting.Wait(ctx); !errors.Is(err, errBoom) {
			t.Errorf("Wait returned %v", err)
		}
		if m.Locked() {
			t.Error("left locked")
		}
		return nil
	})
	tr.want(t, "unlock woke")
}

func TestCondNotifiesAsManyAsItIsTold(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m Mutex
		c := Cond{L: &m}
		woken := 0
		for range 5 {
			GoNow(ctx, func(ctx context.Context) error {
				m.Lock(ctx)
				defer m.Unlock()
				if err := c.Wait(ctx); err != nil {
					return err
				}
				woken++
				return nil
			})
		}
		for _, step := range []struct{ n, want int }{{0, 0}, {2, 2}, {99, 5}, {1, 5}} {
			m.Lock(ctx)
			for range step.n {
				c.Signal()
			}
			m.Unlock()
			yields(ctx, 8)
			if woken != step.want {
				t.Errorf("after %d signals: %d woken, want %d", step.n, woken, step.want)
			}
		}
		return nil
	})
}

func TestCondWaitFor(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m Mutex
		c := Cond{L: &m}
		level, asked := 0, 0
		waiter := func(ctx context.Context) error {
			m.Lock(ctx)
			defer m.Unlock()
			return c.WaitFor(ctx, func() bool {
				if !m.Locked() {
					t.Error("asked without the lock")
				}
				asked++
				return level >= 2
			})
		}
		a, b := GoNow(ctx, waiter), GoNow(ctx, waiter)
		b.Cancel(errBoom)
		for range 2 {
			yields(ctx, 3)
			if a.Finished() {
				t.Error("went on too soon")
			}
			m.Lock(ctx)
			level++
			c.Broadcast()
			m.Unlock()
		}
		if err := a.Wait(ctx); err != nil || asked != 4 {
			t.Errorf("%v, asked %d times", err, asked)
		}
		if err := b.Wait(ctx); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return nil
	})
}

func TestCondMisuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := Cond{L: new(Mutex)}
		wantPanic(t, "not locked", func() { c.Wait(ctx) })
		wantPanic(t, "not locked", func() { c.Signal() })
		wantPanic(t, "not locked", c.Broadcast)
		c.L.Lock(ctx)
		if err := c.Wait(doneCtx(ctx)); !errors.Is(err, errBoom) || !c.L.Locked() {
			t.Errorf("under a done ctx: %v, locked: %v", err, c.L.Locked())
		}
		return nil
	})
}

// The errors of a misused Cond name the Cond, and nothing changes.
func TestCondWithoutItsMutex(t *testing.T) {
	run(t, func(ctx context.Context) error {
		done := doneCtx(ctx)
		never := func() bool { return false }
		for _, c := range []*Cond{{}, {L: new(Mutex)}} {
			want := "without a mutex: set L before use"
			if c.L != nil {
				want = "while its mutex is not locked"
			}
			wantPanic(t, "Cond.Wait "+want, func() { strip(func() { c.Wait(ctx) }) })
			wantPanic(t, "Cond.Wait "+want, func() { strip(func() { c.Wait(done) }) })
			wantPanic(t, "Cond.Wait "+want, func() { strip(func() { c.WaitFor(ctx, never) }) })
			wantPanic(t, "Cond.Signal "+want, func() { strip(func() { c.Signal() }) })
			wantPanic(t, "Cond.Broadcast "+want, func() { strip(c.Broadcast) })
			if c.L != nil && c.L.Locked() {
				t.Error("the mutex was locked")
			}
		}
		return nil
	})
}

// strip calls f, and takes the words "of a Cond" out of what it panics with.
func strip(f func()) { panic(strings.Replace(panics(f), " of a Cond", "", 1)) }
