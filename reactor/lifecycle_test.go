package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A life is the course of a task: how it is made, how it ends, and how often it
// is awaited.
type life struct {
	eager bool
	fate  string
	asks  int
}

var fates = []string{"returns", "fails", "panics", "cancelled before start", "cancelled while parked", "cancelled after wake"}

func TestEveryLifeOfATask(t *testing.T) {
	for _, eager := range []bool{false, true} {
		for _, fate := range fates {
			for asks := range 3 {
				t.Run(fmt.Sprintf("eager %v, %s, asked %d times", eager, fate, asks), life{eager, fate, asks}.test)
			}
		}
	}
}

func (x life) test(t *testing.T) {
	var told reports
	var answers []error
	finished := false
	err := setup{Options: Options{OnError: told.add}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		task := x.live(ctx)
		for range x.asks {
			answers = append(answers, task.Wait(ctx))
		}
		err := Sleep(ctx, 1000)
		finished = task.Finished()
		return err
	})
	want := x.answer()
	for i, answer := range answers {
		if !same(answer, want) {
			t.Errorf("answer %d is %v, want %v", i, answer, want)
		}
	}
	if !finished {
		t.Error("it never ended")
	}
	x.checkRun(t, err, told)
}

// live makes the task and lets it end.
func (x life) live(ctx context.Context) *Task[struct{}] {
	var f Future[int]
	body := func(ctx context.Context) error {
		switch x.fate {
		case "fails":
			return errBoom
		case "panics":
			panic("at the disco")
		case "returns":
			return nil
		}
		_, err := f.Await(ctx)
		return err
	}
	if x.eager {
		if x.fate == "cancelled before start" {
			return GoNow(doneCtx(ctx), body)
		}
		return x.interfere(ctx, GoNow(ctx, body), &f)
	}
	task := Go(ctx, body)
	if x.fate == "cancelled before start" {
		task.Cancel(errBoom)
		return task
	}
	return x.interfere(ctx, task, &f)
}

// interfere cancels the task while it runs.
func (x life) interfere(ctx context.Context, task *Task[struct{}], f *Future[int]) *Task[struct{}] {
	switch x.fate {
	case "cancelled while parked":
		Yield(ctx)
		task.Cancel(errBoom)
	case "cancelled after wake":
		Yield(ctx)
		f.SetResult(1)
		task.Cancel(errBoom)
	}
	return task
}

// answer returns what awaiting the task returns: an error of its kind.
func (x life) answer() error {
	switch x.fate {
	case "fails":
		return errBoom
	case "panics":
		return &PanicError{}
	case "cancelled before start", "cancelled while parked":
		return &CancelError{errBoom}
	}
	return nil // woken by the result, which a later cancellation does not take away
}

func same(got, want error) bool {
	var p *PanicError
	var c *CancelError
	switch want.(type) {
	case *PanicError:
		return errors.As(got, &p) && p.Value == "at the disco"
	case *CancelError:
		return errors.As(got, &c) && errors.Is(got, context.Canceled) && c.Cause == errBoom
	}
	return got == want
}

// checkRun checks what Run returned and what was reported: a failure that was
// not awaited, once; such a panic ends Run; a cancellation is not reported.
func (x life) checkRun(t *testing.T, err error, told reports) {
	var wantRun, wantTold error
	if x.asks == 0 {
		switch x.fate {
		case "panics":
			wantRun = x.answer()
		case "fails":
			wantTold = x.answer()
		}
	}
	if !same(err, wantRun) {
		t.Errorf("Run returned %v, want %v", err, wantRun)
	}
	if wantTold == nil {
		if len(told) > 0 {
			t.Errorf("reported %v", told)
		}
		return
	}
	if len(told) != 1 || !same(told[0].Err, wantTold) || told[0].Kind != TaskFailed || !strings.Contains(told[0].Task, "task 2") {
		t.Errorf("reported %v, want once %v", told, wantTold)
	}
}
