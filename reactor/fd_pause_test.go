package reactor

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func TestPauseWrite(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(ctx context.Context, f *core.FD, task *Task[struct{}])
		want error
		over bool // the pause lasted
	}{
		{"lasts", func(context.Context, *core.FD, *Task[struct{}]) {}, nil, true},
		{"close", func(_ context.Context, f *core.FD, _ *Task[struct{}]) { f.Close() }, os.ErrClosed, false},
		{"cancel", func(_ context.Context, _ *core.FD, task *Task[struct{}]) { task.Cancel(nil) }, context.Canceled, false},
		{"deadline", func(_ context.Context, f *core.FD, _ *Task[struct{}]) {
			f.SetWriteDeadline(time.Now().Add(-time.Second))
		}, os.ErrDeadlineExceeded, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := Run(context.Background(), func(ctx context.Context) error {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				defer w.Close()
				var f core.FD
				if err := f.OpenKind(ctx, int(w.Fd()), &core.FDKind{Close: func(int) error { return nil }}); err != nil {
					t.Fatal(err)
				}
				const pause = 20 * time.Millisecond
				start := time.Now()
				task := Go(ctx, func(context.Context) error {
					if err := f.Inner().LockWrite(); err != nil {
						return err
					}
					defer f.UnlockWrite()
					return f.Inner().PauseWrite(pause)
				})
				Sleep(ctx, time.Millisecond) // the kernel says meanwhile that the pipe can be written
				test.do(ctx, &f, task)
				if err := task.Wait(context.WithoutCancel(ctx)); !errors.Is(err, test.want) || err != nil && test.want == nil {
					t.Errorf("PauseWrite: %v, want %v", err, test.want)
				}
				if test.over && time.Since(start) < pause {
					t.Error("it ended early")
				}
				f.Close()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
