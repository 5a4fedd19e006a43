package reactor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// All that wait get a change, and the latest value by the time they run.
func TestWatchInEveryOrder(t *testing.T) {
	enumerate(t, func(context.Context, int) contest {
		var v Watch[int]
		last := 0
		return contest{
			wait: func(ctx context.Context, i int) (string, error) {
				value, version, err := v.Next(ctx, 0)
				return fmt.Sprint(value, version), err
			},
			wake: func(queue []int) []outcome {
				last++
				v.Set(10 * last)
				return everyone(queue, func() string { return fmt.Sprint(10*last, last) })
			},
			check: v.waiters.Check,
			done: func(ctx context.Context) string {
				if value, version := v.Get(); value != 10*last || version != uint64(last) {
					return fmt.Sprintf("value %d, version %d", value, version)
				}
				return ""
			},
		}
	})
}

// A Close ends those who wait, unless there is a value that they have not seen.
func TestWatchCloseInEveryOrder(t *testing.T) {
	for _, closeAt := range []int{1, 2} {
		enumerate(t, func(context.Context, int) contest {
			var v Watch[int]
			acts, closed := 0, false
			return contest{
				wait: func(ctx context.Context, i int) (string, error) {
					value, _, err := v.Next(ctx, 0)
					return fmt.Sprint(value), err
				},
				wake: func(queue []int) []outcome {
					if acts++; acts == closeAt {
						v.Close()
						closed = true
					} else {
						v.Set(7)
					}
					return everyone(queue, func() string {
						if v.version > 0 {
							return "7"
						}
						return "closed"
					})
				},
				check: v.waiters.Check,
				done: func(ctx context.Context) string {
					if !closed {
						v.Close()
					}
					_, version := v.Get()
					if _, _, err := v.Next(ctx, version); err != ErrClosed {
						return fmt.Sprintf("after Close: %v", err)
					}
					return ""
				},
			}
		})
	}
}

func TestWatchNext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v Watch[string]
		if value, version := v.Get(); value != "" || version != 0 {
			t.Errorf("the zero Watch holds %q, %d", value, version)
		}
		v.Set("a")
		v.Set("b")
		if value, version, err := v.Next(ctx, 0); value != "b" || version != 2 || err != nil {
			t.Errorf("got %q, %d, %v", value, version, err)
		}
		if value, version, err := v.Next(doneCtx(ctx), 2); value != "b" || version != 2 || !errors.Is(err, errBoom) {
			t.Errorf("under a done ctx: %q, %d, %v", value, version, err)
		}
		far := GoNow(ctx, func(ctx context.Context) error {
			_, version, err := v.Next(ctx, 4)
			if version != 5 {
				t.Errorf("asked for what comes after 4, got %d", version)
			}
			return err
		})
		for range 3 {
			if far.Finished() {
				t.Error("went on too soon")
			}
			v.Set("c")
			yields(ctx, 2)
		}
		if err := far.Wait(ctx); err != nil {
			return err
		}
		waiting := GoNow(ctx, func(ctx context.Context) error {
			_, _, err := v.Next(ctx, 5)
			return err
		})
		if elsewhere(func() { v.Set("d") }) == "" || elsewhere(v.Close) == "" {
			t.Error("another goroutine changed what a task waits for")
		}
		v.Close()
		if err := waiting.Wait(ctx); err != ErrClosed {
			t.Error(err)
		}
		return nil
	})
}

// Changes begins with the present value, skips what came between, and ends with
// the Close or with ctx.
func TestWatchChanges(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v Watch[int]
		var seen, broke, cancelled []int
		v.Set(1)
		follow := func(into *[]int, stop int) *Task[struct{}] {
			return GoNow(ctx, func(ctx context.Context) error {
				for value := range v.Changes(ctx) {
					if *into = append(*into, value); value == stop {
						break
					}
				}
				return nil
			})
		}
		all, some, victim := follow(&seen, 0), follow(&broke, 3), follow(&cancelled, 0)
		for i := 2; i <= 4; i++ {
			v.Set(i)
			if i == 3 {
				victim.Cancel(nil)
			}
			if i != 2 {
				yields(ctx, 3)
			}
		}
		v.Close()
		all.Wait(ctx)
		some.Wait(ctx)
		victim.Wait(ctx)
		for _, c := range []struct{ got, want []int }{{seen, []int{1, 3, 4}}, {broke, []int{1, 3}}, {cancelled, []int{1, 3}}} {
			if !slices.Equal(c.got, c.want) {
				t.Errorf("got %v, want %v", c.got, c.want)
			}
		}
		late := 0
		for range v.Changes(ctx) {
			late++
		}
		if late != 1 {
			t.Errorf("of a closed Watch: %d values", late)
		}
		return nil
	})
}
