package reactor

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

func (b *Barrier) check() string {
	if b.come < b.Waiting() || b.Waiting() >= b.parties {
		return fmt.Sprintf("barrier: of %d %d have come and %d wait", b.parties, b.come, b.Waiting())
	}
	return b.waiters.Check()
}

// A further arrival releases all when enough wait, and else joins them; one
// that was cancelled does not count.
func TestBarrierInEveryOrder(t *testing.T) {
	enumerate(t, func(ctx context.Context, n int) contest {
		b := NewBarrier(n + 1)
		var got, want []string // what those get who come later
		more := 0              // of them wait
		return contest{
			wait: func(ctx context.Context, i int) (string, error) {
				number, err := b.Wait(ctx)
				return fmt.Sprint(number), err
			},
			wake: func(queue []int) (released []outcome) {
				j := len(got)
				got = append(got, "nothing")
				GoNow(ctx, func(ctx context.Context) error {
					number, err := b.Wait(ctx)
					got[j] = verdict(fmt.Sprint(number), err)
					return nil
				})
				more++
				if len(queue)+more < n+1 {
					return nil
				}
				for number, i := range queue {
					released = append(released, outcome{who: i, what: text(fmt.Sprint(number))})
				}
				for ; more > 0; more-- {
					want = append(want, fmt.Sprint(n+1-more))
				}
				return released
			},
			check: b.check,
			done: func(ctx context.Context) string {
				if b.Waiting() != more {
					return fmt.Sprintf("%d wait, want %d", b.Waiting(), more)
				}
				b.Abort()
				Yield(ctx)
				for len(want) < len(got) {
					want = append(want, "broken")
				}
				if !slices.Equal(got, want) {
					return fmt.Sprintf("the last to come got %q, want %q", got, want)
				}
				return ""
			},
		}
	})
}

// Abort and Reset wake all with ErrBroken, once.
func TestBarrierBrokenInEveryOrder(t *testing.T) {
	enumerate(t, func(ctx context.Context, n int) contest {
		b := NewBarrier(n + 1)
		return contest{
			wait: func(ctx context.Context, i int) (string, error) {
				_, err := b.Wait(ctx)
				return "", err
			},
			wake: func(queue []int) []outcome {
				b.Abort()
				b.Reset()
				return everyone(queue, text("broken"))
			},
			check: b.check,
			done: func(ctx context.Context) string {
				tasks := make([]*Task[int], n+1)
				var numbers []int
				for i := range tasks {
					tasks[i] = AsyncNow(ctx, b.Wait)
				}
				for _, task := range tasks {
					number, err := task.Await(ctx)
					if err != nil {
						return err.Error()
					}
					numbers = append(numbers, number)
				}
				if slices.Sort(numbers); numbers[0] != 0 || numbers[n] != n || len(slices.Compact(numbers)) != n+1 {
					return fmt.Sprintf("the numbers are %v", numbers)
				}
				return ""
			},
		}
	})
}

func TestBarrierIsUsedAgainAtOnce(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		b := NewBarrier(2)
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			for _, name := range []string{"a", "b"} {
				g.Go(func(ctx context.Context) error {
					for range 3 {
						number, err := b.Wait(ctx)
						if err != nil {
							return err
						}
						tr.add("%s%d", name, number)
					}
					return nil
				})
			}
			return nil
		})
	})
	tr.want(t, "b1 a0 a1 b0 b1 a0")
}

func TestBarrierAbort(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := NewBarrier(2)
		waiting := AsyncNow(ctx, b.Wait)
		if b.Waiting() != 1 {
			t.Error("nobody waits")
		}
		if got := elsewhere(b.Abort); got == "" {
			t.Error("another goroutine aborted what a task waits for")
		}
		b.Abort()
		if _, err := waiting.Await(ctx); err != ErrBroken {
			t.Error(err)
		}
		if _, err := b.Wait(ctx); err != ErrBroken {
			t.Error(err)
		}
		b.Reset()
		waiting = AsyncNow(ctx, b.Wait)
		b.Reset()
		if _, err := waiting.Await(ctx); err != ErrBroken {
			t.Errorf("Reset under one that waits: %v", err)
		}
		late := AsyncNow(ctx, b.Wait)
		number, err := b.Wait(ctx)
		if other, err := late.Await(ctx); other != 0 || err != nil {
			t.Errorf("the first got %d, %v", other, err)
		}
		if number != 1 || err != nil {
			t.Errorf("the second got %d, %v", number, err)
		}
		return nil
	})
}

func TestBarrierForOne(t *testing.T) {
	wantPanic(t, "less than one", func() { NewBarrier(0) })
	run(t, func(ctx context.Context) error {
		b := NewBarrier(1)
		for range 2 {
			if number, err := b.Wait(ctx); number != 0 || err != nil {
				t.Errorf("got %d, %v", number, err)
			}
		}
		return nil
	})
}
