package reactor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// netCanceled is an error like package net's own, with a method Is, which wraps
// nothing.
type netCanceled struct{}

func (netCanceled) Error() string        { return "operation was canceled" }
func (netCanceled) Is(target error) bool { return target == context.Canceled }

// severalErrors is an error that can't be compared.
type severalErrors []string

func (l severalErrors) Error() string { return strings.Join(l, " ") }

// What a task returns after each kind of cancellation, and whether that is only
// its echo.
func TestEcho(t *testing.T) {
	elsewhere := &CancelError{errOther}
	own := func(ctx context.Context) error { // a deadline of the cleanup's own
		return Timeout(context.WithoutCancel(ctx), 1, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
	}
	std := func(ctx context.Context) error {
		ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), time.Now())
		defer cancel()
		return Sleep(ctx, time.Hour)
	}
	const no, yes, ifDeadline = 0, 1, 2
	returns := map[string]struct {
		f    func(ctx context.Context, err error) error // err is the await's
		echo int
	}{
		"the await's error":             {func(_ context.Context, err error) error { return err }, yes},
		"wrapped":                       {func(_ context.Context, err error) error { return fmt.Errorf("read: %w", err) }, yes},
		"joined twice":                  {func(_ context.Context, err error) error { return errors.Join(err, err) }, yes},
		"ctx.Err":                       {func(ctx context.Context, _ error) error { return ctx.Err() }, yes},
		"ctx.Err, wrapped":              {func(ctx context.Context, _ error) error { return fmt.Errorf("read: %w", ctx.Err()) }, yes},
		"as package net says":           {func(context.Context, error) error { return fmt.Errorf("dial: %w", netCanceled{}) }, yes},
		"of a std context below":        {func(ctx context.Context, _ error) error { return underStd(ctx) }, yes},
		"of an inner scope":             {func(ctx context.Context, _ error) error { return underScope(ctx) }, yes},
		"another error":                 {func(context.Context, error) error { return errOther }, no},
		"another, joined":               {func(_ context.Context, err error) error { return errors.Join(err, errOther) }, no},
		"another, that can't compare":   {func(context.Context, error) error { return severalErrors{"a"} }, no},
		"the cause":                     {func(ctx context.Context, err error) error { return errBoom }, no},
		"one cancelled elsewhere":       {func(context.Context, error) error { return elsewhere }, no},
		"the cleanup's Timeout":         {func(ctx context.Context, _ error) error { return own(ctx) }, no},
		"the cleanup's Timeout, worded": {func(ctx context.Context, _ error) error { return fmt.Errorf("could not save: %w", own(ctx)) }, no},
		"the cleanup's std deadline":    {func(ctx context.Context, _ error) error { return fmt.Errorf("could not save: %w", std(ctx)) }, ifDeadline},
		"a panic with it":               {func(_ context.Context, err error) error { panic(err) }, no},
	}
	boundary := &CancelError{severalErrors{"b"}}
	for way, cancel := range map[string]struct {
		run      func(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}]
		deadline bool
	}{
		"Cancel": {func(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
			task := Go(ctx, f)
			LoopOf(ctx).CallLater(1, func() { task.Cancel(errBoom) })
			return task
		}, false},
		"Cancel without a cause": {func(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
			task := Go(ctx, f)
			LoopOf(ctx).CallLater(1, func() { task.Cancel(nil) })
			return task
		}, false},
		"Cancel for what can't be compared": {func(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
			task := Go(ctx, f)
			LoopOf(ctx).CallLater(1, func() { task.Cancel(boundary) })
			return task
		}, false},
		"a deadline around": {func(ctx context.Context, f func(ctx context.Context) error) (task *Task[struct{}]) {
			Timeout(ctx, 1, func(ctx context.Context) error {
				task = Go(ctx, f)
				return task.Wait(context.WithoutCancel(ctx))
			})
			return task
		}, true},
		"a std cancel": {func(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(errBoom)
			task := Go(ctx, f)
			Yield(ctx)
			return task
		}, false},
		"a std deadline": {func(ctx context.Context, f func(ctx context.Context) error) (task *Task[struct{}]) {
			ctx, cancel := context.WithDeadline(ctx, time.Now())
			defer cancel()
			return Go(ctx, f)
		}, true},
		"a std deadline with a cause": {func(ctx context.Context, f func(ctx context.Context) error) (task *Task[struct{}]) {
			ctx, cancel := context.WithDeadlineCause(ctx, time.Now(), errBoom)
			defer cancel()
			return Go(ctx, f)
		}, true},
		"the end of a scope": {func(ctx context.Context, f func(ctx context.Context) error) (task *Task[struct{}]) {
			Scope(ctx, func(ctx context.Context, _ *CancelScope) error {
				task = Go(ctx, f)
				return Yield(ctx)
			})
			return task
		}, false},
	} {
		for name, c := range returns {
			run(t, func(ctx context.Context) error {
				var got error
				task := cancel.run(ctx, func(ctx context.Context) error {
					err := new(Event).Wait(ctx)
					got = c.f(ctx, err)
					return got
				})
				task.Wait(ctx)
				want := c.echo == yes || c.echo == ifDeadline && cancel.deadline
				if task.record().Echo() != want {
					t.Errorf("%s after %s: echo %v of %v", name, way, task.record().Echo(), got)
				}
				return Sleep(ctx, time.Minute)
			})
		}
	}
}

func underStd(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	<-ctx.Done()
	return Sleep(ctx, time.Hour)
}

func underScope(ctx context.Context) error {
	inner := Scope(context.WithoutCancel(ctx), func(context.Context, *CancelScope) error { return ctx.Err() })
	return errors.Join(inner, Sleep(ctx, time.Hour))
}

// An error that is not an echo is returned: by a group, a single task, Wait,
// MoveOn and Run.
func TestNoEchoIsDropped(t *testing.T) {
	save := func(ctx context.Context) error { // what cancels it can't be waited for
		Sleep(ctx, time.Hour)
		err := Timeout(context.WithoutCancel(ctx), 1, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		return fmt.Errorf("could not save: %w", err)
	}
	told := func(err error) bool {
		return err != nil && strings.Contains(err.Error(), "could not save: context deadline exceeded")
	}
	var reported reports
	err := setup{world: newWorld(t), Options: Options{OnError: reported.add}}.run(t, func(ctx context.Context) error {
		fail := func(ctx context.Context) error { Yield(ctx); return errBoom }
		if err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(save)
			g.Go(fail)
			return nil
		}); !told(err) || !errors.Is(err, errBoom) {
			t.Errorf("a task of a group: %v", err)
		}
		if err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(fail)
			return save(ctx)
		}); !told(err) || !errors.Is(err, errBoom) {
			t.Errorf("a group's body: %v", err)
		}
		if _, err := MoveOn(ctx, func(ctx context.Context, s *CancelScope) error {
			s.Cancel(nil)
			return save(ctx)
		}); !told(err) {
			t.Errorf("MoveOn: %v", err)
		}
		if err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(ctx context.Context) error { panic(g.scope.Cancel(nil)) })
			g.Go(func(ctx context.Context) error { panic(Sleep(ctx, time.Hour)) })
			return nil
		}); strings.Count(fmt.Sprint(err), "panicked: context canceled") != 1 {
			t.Errorf("a panic with a cancellation: %v", err)
		}
		task := Go(ctx, save)
		Yield(ctx)
		task.Cancel(errBoom)
		if done, _, err := Wait(ctx, FirstFailed, task, Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })); len(done) != 1 || err != nil {
			t.Errorf("Wait: %v, %v", done, err)
		}
		Go(ctx, save).SetName("alone")
		Yield(ctx)
		return nil
	})
	if err != nil || len(reported) != 2 || !told(reported[0].Err) || !told(reported[1].Err) || !strings.Contains(reported[1].Task, "alone") {
		t.Errorf("Run: %v; reported %v", err, reported)
	}
	var dead *DeadlockError
	err = setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		var never Event
		never.Wait(ctx)
		return save(ctx)
	})
	if !errors.As(err, &dead) || !told(err) {
		t.Errorf("of main: %v", err)
	}
}

// A scope around a task that ends before the task does, and had been cancelled
// after it: its error is the task's echo all the same.
func TestEchoOfAScopeThatIsOver(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *Task[struct{}]
		maker := Go(ctx, func(ctx context.Context) error {
			task = Go(ctx, func(ctx context.Context) error {
				err := Sleep(ctx, time.Hour)
				Sleep(context.WithoutCancel(ctx), time.Second)
				return err
			})
			Sleep(ctx, time.Hour)
			return nil
		})
		yields(ctx, 2)
		task.Cancel(errOther)
		maker.Cancel(errBoom)
		if err := task.Wait(ctx); !errors.Is(err, errBoom) || !task.record().Echo() {
			t.Errorf("%v, echo %v", err, task.record().Echo())
		}
		return nil
	})
}

// A task that fails because what it awaited was cancelled elsewhere is a
// failure of its group, and names what was cancelled.
func TestCancelledElsewhere(t *testing.T) {
	await := func(task *Task[struct{}]) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			if err := task.Wait(ctx); err != nil {
				return fmt.Errorf("fetching: %w", err)
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		f    func(ctx context.Context, load *Task[struct{}]) func(ctx context.Context) error
		want string
	}{
		"a task": {func(_ context.Context, load *Task[struct{}]) func(ctx context.Context) error { return await(load) },
			`^task N \(asker\) awaited task N \(load\), which was cancelled: fetching: context canceled: boom$`},
		"by way of another": {func(ctx context.Context, load *Task[struct{}]) func(ctx context.Context) error {
			return await(Go(ctx, await(load)))
		},
			`^task N \(asker\) awaited task N \(load\), which was cancelled: fetching: fetching: context canceled: boom$`},
		"something else": {func(context.Context, *Task[struct{}]) func(ctx context.Context) error {
			return func(context.Context) error { return context.Canceled }
		}, `^task N \(asker\) awaited something that was cancelled: context canceled$`},
		"a failure": {func(context.Context, *Task[struct{}]) func(ctx context.Context) error {
			return func(context.Context) error { return errBoom }
		}, `^boom$`},
	} {
		var told reports
		setup{world: newWorld(t), Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
			load := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			load.SetName("load")
			Yield(ctx)
			load.Cancel(errBoom)
			err := Group(ctx, func(groupCtx context.Context, g *TaskGroup) error {
				g.Go(c.f(ctx, load)).SetName("asker")
				g.Go(func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
				return nil
			})
			Go(ctx, c.f(ctx, load)).SetName("asker")
			yields(ctx, 5)
			if name != "a failure" && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			told = append(told, Report{Err: err})
			return nil
		})
		for _, r := range told {
			if got := regexp.MustCompile(`task \d+`).ReplaceAllString(r.Err.Error(), "task N"); !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("%s: %q", name, got)
			}
		}
		if len(told) != 2 {
			t.Errorf("%s: told %v", name, told)
		}
	}
}
