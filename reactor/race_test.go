package reactor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A racer is one function of a race: when and how it ends, and how it handles a
// cancellation.
type racer struct {
	after   time.Duration
	err     error
	cleanup time.Duration // how long it takes to stop
	late    error         // what it then returns; nil is the echo
}

// enter makes functions of racers; each returns its number, and records its end
// in ended.
func enter(racers []racer, ended *[]int) (fs []func(context.Context) (int, error)) {
	for i, r := range racers {
		fs = append(fs, func(ctx context.Context) (int, error) {
			defer func() { *ended = append(*ended, i) }()
			if err := Sleep(ctx, r.after); err != nil {
				if r.cleanup > 0 {
					Sleep(context.WithoutCancel(ctx), r.cleanup)
				}
				if r.late != nil {
					return i, r.late
				}
				return i, err
			}
			return i, r.err
		})
	}
	return fs
}

// Every order in which four functions can end, each of them with or without an
// error: the first of Race wins, the first success of Any, and the others have
// ended when they return, no later than their cleanup takes.
func TestRaceInEveryOrder(t *testing.T) {
	permutations(4, func(order []int) {
		for failing := range 1 << len(order) {
			racers := make([]racer, len(order))
			for place, i := range order {
				i := slices.Index(slices.Sorted(slices.Values(order)), i)
				racers[i] = racer{after: time.Duration(1+place) * time.Second, cleanup: time.Millisecond}
				if failing&(1<<place) != 0 {
					racers[i].err = fmt.Errorf("e%d", i)
				}
			}
			raceOnce(t, racers)
		}
	})
}

func raceOnce(t *testing.T, racers []racer) {
	t.Helper()
	first, success := 0, -1
	var all []string
	for i, r := range racers {
		if r.after < racers[first].after {
			first = i
		}
		if r.err != nil {
			all = append(all, r.err.Error())
		} else if success < 0 || r.after < racers[success].after {
			success = i
		}
	}
	took := func(until time.Duration) time.Duration {
		for _, r := range racers {
			if r.after > until {
				return until + time.Millisecond
			}
		}
		return until
	}
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var ended []int
		began := Facade(l).Time()
		v, err := Race(ctx, enter(racers, &ended)...)
		if v != first || err != racers[first].err || len(ended) != len(racers) || Facade(l).Time()-began != took(racers[first].after) {
			t.Errorf("%v: Race: %d, %v; %v ended at %v", racers, v, err, ended, Facade(l).Time()-began)
		}
		ended, began = nil, Facade(l).Time()
		v, err = Any(ctx, enter(racers, &ended)...)
		switch {
		case len(ended) != len(racers):
			t.Errorf("%v: Any: only %v ended", racers, ended)
		case success >= 0 && (v != success || err != nil || Facade(l).Time()-began != took(racers[success].after)):
			t.Errorf("%v: Any: %d, %v at %v", racers, v, err, Facade(l).Time()-began)
		case success < 0 && (v != 0 || err.Error() != strings.Join(all, "\n")):
			t.Errorf("%v: Any: %d, %v", racers, v, err)
		}
		return nil
	})
}

// GatherUntil calls enough in the order in which the functions end, until it
// returns true, and returns all outcomes.
func TestGatherUntilInEveryOrder(t *testing.T) {
	permutations(4, func(order []int) {
		if len(order) < 4 {
			return
		}
		for enough := 1; enough <= 5; enough++ {
			racers := make([]racer, 4)
			for place, i := range order {
				racers[i] = racer{after: time.Duration(1+place) * time.Second}
			}
			racers[order[0]].err = errBoom
			run(t, func(ctx context.Context) error {
				var asked, ended []int
				outcomes, err := GatherUntil(ctx, func(i int, o Outcome[int]) bool {
					if o.Value != i || o.Err != racers[i].err {
						t.Errorf("asked about %d: %v", i, o)
					}
					if core.Nearest(ctx).Loop().Running() == nil {
						t.Error("asked outside the task")
					}
					asked = append(asked, i)
					return len(asked) == enough
				}, enter(racers, &ended)...)
				if err != nil || len(ended) != 4 || !slices.Equal(asked, order[:min(enough, 4)]) {
					t.Errorf("%v, %d: %v, asked %v, ended %v", order, enough, err, asked, ended)
				}
				for place, i := range order {
					want := racers[i].err
					if place >= enough {
						want = context.Canceled
					}
					if got := outcomes[i]; got.Value != i || !errors.Is(got.Err, want) || want == nil && got.Err != nil {
						t.Errorf("%v, %d: the outcome of %d is %v", order, enough, i, got)
					}
				}
				return nil
			})
		}
	})
}

// Of functions that end in one turn the first in the queue wins, and the other
// value is not lost to GatherUntil.
func TestRaceOfTwoInOneTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var ended []int
		racers := []racer{{after: time.Second}, {after: time.Second}}
		if v, err := Race(ctx, enter(racers, &ended)...); v != 0 || err != nil {
			t.Errorf("Race: %d, %v", v, err)
		}
		outcomes, err := GatherUntil(ctx, func(int, Outcome[int]) bool { return true }, enter(racers, &ended)...)
		if err != nil || outcomes[0] != (Outcome[int]{0, nil}) || outcomes[1] != (Outcome[int]{1, nil}) {
			t.Errorf("GatherUntil: %v, %v", outcomes, err)
		}
		return nil
	})
}

// A race whose ctx is done ends with ctx's error when all have stopped, unless
// there was a result before.
func TestRaceIsCancelled(t *testing.T) {
	slow := []racer{{after: time.Hour, cleanup: time.Second}, {after: time.Hour}}
	for name, tc := range map[string]struct {
		racers []racer
		value  int
		want   string // of the error of Race, Any and GatherUntil
	}{
		"while all run":          {slow, 1, "boom boom boom"},
		"after a failure":        {[]racer{{after: 1, err: errOther}, {after: time.Hour}}, 0, "another boom+another boom"},
		"in the turn of a value": {[]racer{{after: time.Minute}, {after: time.Hour}}, 0, "nil nil nil"},
	} {
		j := new(journal)
		setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
			var words []string
			word := func(err error) {
				text := "nil"
				if errors.Is(err, errBoom) {
					text = "boom"
				}
				if errors.Is(err, errOther) {
					text += "+another"
					if !errors.Is(err, errBoom) {
						text = "another"
					}
				}
				words = append(words, text)
			}
			cancelled := func(f func(ctx context.Context)) {
				Scope(ctx, func(ctx context.Context, s *CancelScope) error {
					LoopOf(ctx).CallLater(time.Minute, func() { s.Cancel(errBoom) })
					f(ctx)
					return nil
				})
			}
			var ended []int
			cancelled(func(ctx context.Context) {
				v, err := Race(ctx, enter(tc.racers, &ended)...)
				if v != tc.value {
					t.Errorf("%s: Race: %d", name, v)
				}
				word(err)
			})
			cancelled(func(ctx context.Context) {
				_, err := Any(ctx, enter(tc.racers, &ended)...)
				word(err)
			})
			cancelled(func(ctx context.Context) {
				outcomes, err := GatherUntil(ctx, func(_ int, o Outcome[int]) bool { return o.Err == nil }, enter(tc.racers, &ended)...)
				word(err)
				if len(outcomes) != 2 {
					t.Errorf("%s: GatherUntil: %v", name, outcomes)
				}
			})
			if got := strings.Join(words, " "); got != tc.want || len(ended) != 6 {
				t.Errorf("%s: %s, want %s; ended: %v", name, got, tc.want, ended)
			}
			done := doneCtx(ctx)
			_, err := Race(done, func(context.Context) (int, error) { t.Error("called"); return 0, nil })
			word(err)
			return nil
		})
		if n := len(j.all()); n != 0 {
			t.Errorf("%s: logged %q", name, j.all())
		}
	}
}

// Race reports an error of a loser that is not an echo; Race and Any return a
// panic whenever it comes.
func TestRaceTellsOfTheLosers(t *testing.T) {
	j := new(journal)
	setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
		var ended []int
		racers := []racer{{after: time.Second}, {after: time.Hour, late: errOther}}
		v, err := Race(ctx, enter(racers, &ended)...)
		if v != 0 || err != nil || j.count("another") != 1 {
			t.Errorf("Race: %d, %v; logged %q", v, err, j.all())
		}
		v, err = Any(ctx, enter(racers, &ended)...)
		if v != 0 || err != nil || j.count("another") != 1 {
			t.Errorf("Any: %d, %v; logged %q", v, err, j.all())
		}
		value := func(ctx context.Context) (int, error) { return 7, Sleep(ctx, time.Second) }
		panicsAfter := func(d time.Duration) func(ctx context.Context) (int, error) {
			return func(ctx context.Context) (int, error) {
				Sleep(ctx, d)
				panic("oops")
			}
		}
		for name, f := range map[string]func(context.Context, ...func(context.Context) (int, error)) (int, error){"Race": Race[int], "Any": Any[int]} {
			var p *PanicError
			if v, err := f(ctx, value, panicsAfter(time.Hour)); v != 7 || !errors.As(err, &p) {
				t.Errorf("%s with a loser that panics: %d, %v", name, v, err)
			}
			if v, err := f(ctx, value, panicsAfter(0)); v != 0 || !errors.As(err, &p) {
				t.Errorf("%s with one that panics first: %d, %v", name, v, err)
			}
		}
		return Yield(ctx)
	})
	if n := len(j.all()); n != 1 {
		t.Errorf("logged %q", j.all())
	}
}

// Tasks that a function of a race leaves running are cancelled with it, and a
// panic in the predicate leaks nothing.
func TestRaceLeavesNothingBehind(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var left error
		Race(ctx, func(ctx context.Context) (int, error) {
			Go(ctx, func(ctx context.Context) error { left = Sleep(ctx, time.Hour); return left })
			return 0, Yield(ctx)
		})
		Yield(ctx)
		if !errors.Is(left, context.Canceled) {
			t.Errorf("what was left behind ended with %v", left)
		}
		var ended []int
		racers := []racer{{after: time.Second}, {after: time.Hour, cleanup: time.Second}}
		wantPanic(t, "undecided", func() {
			GatherUntil(ctx, func(int, Outcome[int]) bool { panic("undecided") }, enter(racers, &ended)...)
		})
		if len(ended) != 2 {
			t.Errorf("after a panic of the predicate %v have ended", ended)
		}
		return nil
	})
}

func TestRaceOfNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if _, err := Race[int](ctx); err == nil {
			t.Error("Race of nothing has no error")
		}
		if _, err := Any[int](ctx); err == nil {
			t.Error("Any of nothing has no error")
		}
		outcomes, err := GatherUntil[int](ctx, func(int, Outcome[int]) bool { return true })
		if len(outcomes) != 0 || err != nil {
			t.Errorf("GatherUntil of nothing: %v, %v", outcomes, err)
		}
		value := func(context.Context) (int, error) { return 0, nil }
		wantPanic(t, "Race with a nil function", func() { Race(ctx, value, nil) })
		wantPanic(t, "Any with a nil function", func() { Any(ctx, nil, value) })
		wantPanic(t, "GatherUntil with a nil function", func() { GatherUntil(ctx, nil, value) })
		return nil
	})
}
