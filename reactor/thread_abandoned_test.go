package reactor

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
)

// The error of a function in a thread whose task has gone on is reported, but
// not that of the task's own ctx.
func TestAbandonedThreadIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(ctx context.Context) error
		want string
	}{
		"a value":              {func(context.Context) error { return nil }, ""},
		"an error":             {func(context.Context) error { return errBoom }, "a function in a thread failed"},
		"a panic":              {func(context.Context) error { panic(errBoom) }, "a function in a thread panicked"},
		"its ctx":              {func(ctx context.Context) error { return ctx.Err() }, ""},
		"a panic with its ctx": {func(ctx context.Context) error { panic(ctx.Err()) }, "a function in a thread panicked"},
	} {
		var told reports
		release := make(chan bool)
		err := setup{Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
			err := Scope(ctx, func(ctx context.Context, s *CancelScope) error {
				LoopOf(ctx).CallSoon(func() { s.Cancel(nil) })
				_, err := ToThread(ctx, func(context.Context) (int, error) { <-release; return 0, c.end(ctx) })
				return err
			})
			close(release)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: ToThread returned %v", name, err)
			}
			return nil
		})
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want == "" && len(told) != 0, c.want != "" && (len(told) != 1 || told.count(c.want) != 1 || !strings.HasPrefix(told[0].Task, "task 1")):
			t.Errorf("%s: told %v", name, told)
		}
	}
}

// One that outlives the loop is reported to the log, for OnError is called on the
// loop's thread only.
func TestThreadThatOutlivesTheLoopIsReported(t *testing.T) {
	defer testkit.LeakCheck(t)()
	var told reports
	log := new(journal)
	release := make(chan bool)
	v := newWorld(t)
	o := Options{OnError: told.add, Logger: slog.New(log), Clock: v, Poller: v}
	err := o.Run(context.Background(), func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			_, err := ToThread(ctx, func(context.Context) (int, error) { <-release; panic(errBoom) })
			return err
		})
		return Yield(ctx)
	})
	before := len(told)
	close(release)
	testkit.Eventually(t, "the report", func() bool { return log.count("a function in a thread panicked") == 1 })
	if err != nil || len(told) != before {
		t.Errorf("%v, told %v", err, told)
	}
}
