package reactor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// slowly runs main with reports of steps that take more than a second of
// virtual time, and passes it a function that computes for a given time.
func slowly(t *testing.T, main func(ctx context.Context, compute func(d time.Duration)) error) reports {
	t.Helper()
	var told reports
	v := newWorld(t)
	o := Options{SlowStep: time.Second, OnError: told.add}
	err := setup{Options: o, world: v}.run(t, func(ctx context.Context) error {
		return main(ctx, func(d time.Duration) { v.Time.Add(int64(d)) })
	})
	if err != nil {
		t.Error(err)
	}
	return told
}

func TestSlowStep(t *testing.T) {
	const slow, quick = time.Second + 1, time.Second
	var task *Task[struct{}]
	for name, c := range map[string]struct {
		f    func(ctx context.Context, compute func(d time.Duration)) error
		want string // What, and Task without its number
	}{
		"quick": {func(ctx context.Context, compute func(d time.Duration)) error {
			compute(quick)
			Yield(ctx)
			compute(quick)
			return Sleep(ctx, time.Hour)
		}, ""},
		"a task before it suspends": {func(ctx context.Context, compute func(d time.Duration)) error {
			compute(slow)
			return Yield(ctx)
		}, "a task was slow task 2 (it)"},
		"a task after it was resumed": {func(ctx context.Context, compute func(d time.Duration)) error {
			Sleep(ctx, time.Hour)
			compute(slow)
			return Yield(ctx)
		}, "a task was slow task 2 (it)"},
		"a task that never suspends": {func(ctx context.Context, compute func(d time.Duration)) error {
			compute(slow)
			return nil
		}, "a task was slow task 2 (it)"},
		"a task that panics": {func(ctx context.Context, compute func(d time.Duration)) error {
			compute(slow)
			panic("at the disco")
		}, "a task was slow task 2 (it)"},
		"a callback": {func(ctx context.Context, compute func(d time.Duration)) error {
			LoopOf(ctx).CallSoon(func() { compute(slow) })
			return Yield(ctx)
		}, "a callback was slow "},
	} {
		told := slowly(t, func(ctx context.Context, compute func(d time.Duration)) error {
			task = Go(ctx, func(ctx context.Context) error { return c.f(ctx, compute) })
			task.SetName("it")
			task.Wait(ctx)
			return nil
		})
		switch {
		case c.want == "":
			if len(told) != 0 {
				t.Errorf("%s: told %v", name, told)
			}
		case len(told) != 1 || told[0].Kind != StepSlow || told[0].What+" "+told[0].Task != c.want || !errors.Is(told[0].Err, ErrSlow):
			t.Errorf("%s: told %v", name, told)
		}
	}
}

// The log gets what OnError would, when there is none.
func TestReportsAreLogged(t *testing.T) {
	log := new(journal)
	setup{world: newWorld(t), log: log}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		l.Report(core.Report{What: "something happened", Task: "task 9", Err: errBoom, Stack: []byte("main.go:1")})
		l.Report(core.Report{What: "nothing happened"})
		return nil
	})
	if got := fmt.Sprintf("%q", log.all()); got != `["reactor: something happened task=task 9 error=boom stack=main.go:1" "reactor: nothing happened"]` {
		t.Errorf("logged %s", got)
	}
}

func TestOnErrorInsteadOfTheLog(t *testing.T) {
	var told reports
	log := new(journal)
	setup{Options: Options{OnError: told.add}, world: newWorld(t), log: log}.run(t, func(ctx context.Context) error {
		LoopOf(ctx).CallSoon(func() { panic(errBoom) })
		Go(ctx, func(context.Context) error { return errBoom })
		yields(ctx, 3)
		return nil
	})
	var p *PanicError
	if len(told) != 2 || !errors.As(told[0].Err, &p) || told[0].Kind != CallbackPanicked || told[1].Err != errBoom {
		t.Errorf("told %v", told)
	}
	if log.count("") != 0 {
		t.Errorf("logged %q", log.all())
	}
}

// Every report has its kind.
func TestReportKinds(t *testing.T) {
	endless := func(ctx context.Context) error {
		var never Event
		for {
			never.Wait(context.WithoutCancel(ctx))
		}
	}
	for want, main := range map[ReportKind]func(ctx context.Context) error{
		TaskFailed: func(ctx context.Context) error {
			Go(ctx, func(context.Context) error { return errBoom })
			return Yield(ctx)
		},
		CallbackPanicked: func(ctx context.Context) error {
			LoopOf(ctx).CallSoon(func() { panic(errBoom) })
			return Yield(ctx)
		},
		NotStopped: func(ctx context.Context) error {
			Go(ctx, endless)
			return Yield(ctx)
		},
		CancellationIgnored: func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			for range 200_000 {
				Yield(ctx)
			}
			return nil
		},
	} {
		var told reports
		setup{Options: Options{OnError: told.add}}.run(t, main)
		if len(told) != 1 || told[0].Kind != want {
			t.Errorf("told %v, want one report of kind %d", told, want)
		}
	}
}

// A panic of OnError ends the loop, and is Run's error, wherever the report comes from.
func TestOnErrorPanics(t *testing.T) {
	for name, cause := range map[string]func(ctx context.Context){
		"callback": func(ctx context.Context) { LoopOf(ctx).CallSoon(func() { panic("reported") }) },
		"task":     func(ctx context.Context) { Go(ctx, func(context.Context) error { return errBoom }) },
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Leaks(t)
			err := Options{OnError: func(Report) { panic(errBoom) }}.Run(context.Background(), func(ctx context.Context) error {
				cause(ctx)
				if name == "task" {
					return nil // it is reported when its maker ends
				}
				return Sleep(ctx, time.Hour)
			})
			var p *PanicError
			if !errors.As(err, &p) || p.Value != errBoom {
				t.Errorf("%v", err)
			}
		})
	}
}
