package reactor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Every order of the scope's own end, a cancellation from around it, and what
// its function waits for; for functions that return the error, wrap it, drop
// it, and fail in their own way.
func TestMoveOnInEveryOrder(t *testing.T) {
	const own, outer, result = 0, 1, 2
	bodies := map[string]func(err error) error{
		"returned": func(err error) error { return err },
		"wrapped":  func(err error) error { return wrap(err) },
		"of ctx":   func(err error) error { return err },
		"dropped":  func(error) error { return nil },
		"another":  func(error) error { return errOther },
		"joined":   func(err error) error { return errors.Join(err, errOther) },
	}
	ways := map[string]func(ctx context.Context, d time.Duration, f func(ctx context.Context) error) (bool, error){
		"deadline": MoveOnAfter,
		"cancel": func(ctx context.Context, d time.Duration, f func(ctx context.Context) error) (bool, error) {
			return MoveOn(ctx, func(ctx context.Context, s *CancelScope) error {
				LoopOf(ctx).CallLater(d, func() { s.Cancel(errOther) })
				return f(ctx)
			})
		},
	}
	permutations(3, func(order []int) {
		if len(order) < 3 {
			return
		}
		at := make([]time.Duration, 3)
		for place, what := range order {
			at[what] = time.Duration(1+place) * time.Second
		}
		for body, end := range bodies {
			for way, moveOn := range ways {
				name := fmt.Sprintf("%v, %s by %s", order, body, way)
				run(t, func(ctx context.Context) error {
					var cut bool
					var err, inner error
					Scope(ctx, func(ctx context.Context, s *CancelScope) error {
						LoopOf(ctx).CallLater(at[outer], func() { s.Cancel(errBoom) })
						cut, err = moveOn(ctx, at[own], func(ctx context.Context) error {
							if inner = Sleep(ctx, at[result]); body == "of ctx" && inner != nil {
								return ctx.Err()
							}
							return end(inner)
						})
						return nil
					})
					var wantCut bool
					var want error
					switch {
					case body == "another" || body == "joined":
						want = errOther
					case order[0] == result || body == "dropped":
						want = nil
					case order[0] == own:
						wantCut, want = true, nil
					case body == "of ctx":
						want = context.Canceled
					default:
						want = errBoom
					}
					if cut != wantCut || !errors.Is(err, want) || want == nil && err != nil {
						t.Errorf("%s: %v, %v; want %v, %v", name, cut, err, wantCut, want)
					}
					return Sleep(ctx, time.Minute) // for timers of what did not come to pass
				})
			}
		}
	})
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading: %w", err)
}

// A cancellation that comes in the same turn as the deadline wins, and that of
// a foreign context counts as one from around the scope.
func TestMoveOnWithAnOuterCancellation(t *testing.T) {
	run(t, func(ctx context.Context) error {
		Scope(ctx, func(ctx context.Context, s *CancelScope) error {
			LoopOf(ctx).CallLater(time.Second, func() { s.Cancel(errBoom) })
			cut, err := MoveOnAfter(ctx, time.Second, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			if cut || !errors.Is(err, errBoom) {
				t.Errorf("in one turn: %v, %v", cut, err)
			}
			return nil
		})
		cut, err := MoveOnAfter(doneCtx(ctx), time.Hour, func(ctx context.Context) error { t.Error("called"); return nil })
		if cut || !errors.Is(err, errBoom) {
			t.Errorf("under a ctx that is done: %v, %v", cut, err)
		}
		return nil
	})
}

func TestMoveOnUnderAForeignContext(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		std, cancel := context.WithCancelCause(ctx)
		LoopOf(ctx).CallSoon(func() { cancel(errBoom) })
		cut, err := MoveOnAfter(std, time.Hour, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		if cut || !errors.Is(err, errBoom) {
			t.Errorf("%v, %v", cut, err)
		}
		return nil
	})
}

// Of nested scopes, the one whose time is over moves on.
func TestNestedMoveOn(t *testing.T) {
	for _, inner := range []time.Duration{1, 3} {
		run(t, func(ctx context.Context) error {
			innerCut := false
			outerCut, err := MoveOnAfter(ctx, 2, func(ctx context.Context) error {
				var err error
				innerCut, err = MoveOnAfter(ctx, inner, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
				return err
			})
			if err != nil || innerCut != (inner == 1) || outerCut != (inner == 3) {
				t.Errorf("%d: inner %v, outer %v, %v", inner, innerCut, outerCut, err)
			}
			return nil
		})
	}
}

// What the function left running is cancelled, and a panic goes on.
func TestMoveOnLeavesNothingBehind(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var left error
		MoveOnAfter(ctx, time.Hour, func(ctx context.Context) error {
			Go(ctx, func(ctx context.Context) error { left = Sleep(ctx, time.Hour); return left })
			return Yield(ctx)
		})
		Yield(ctx)
		if !errors.Is(left, context.Canceled) || core.Nearest(ctx).Loop().Holdings().Timers != 0 {
			t.Errorf("left behind: %v, %d timers", left, core.Nearest(ctx).Loop().Holdings().Timers)
		}
		wantPanic(t, "oops", func() { MoveOnAfter(ctx, 1, func(context.Context) error { panic("oops") }) })
		wantPanic(t, "MoveOnAfter with a nil function", func() { MoveOnAfter(ctx, 1, nil) })
		wantPanic(t, "MoveOn with a nil function", func() { MoveOn(ctx, nil) })
		return Yield(ctx)
	})
}
