package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// Both sides write more than the pipes hold before they read.
func TestLargeDataBothWays(t *testing.T) {
	run(t, func(ctx context.Context) {
		const n = 1 << 20
		c := child("flood", fmt.Sprint(n))
		out, errs, err := c.Communicate(ctx, testkit.Pattern(n+2))
		if err := errors.Join(err, testkit.Same(out, testkit.Pattern(n)), testkit.Same(errs, testkit.Pattern(n+1))); err != nil {
			t.Error(err)
		}
	})
}

// More programs than threads (reactor.Options.MaxThreads); a thread is still
// free.
func TestTwoHundredAtOnce(t *testing.T) {
	const n = 200
	bothWays(t, reactor.Options{MaxThreads: 50}, func(t *testing.T, ctx context.Context) {
		cmds := make([]*Cmd, n)
		inputs := make([]io.Closer, n)
		for i := range cmds {
			cmds[i] = Command("cat")
			in, _ := cmds[i].StdinPipe()
			out, _ := cmds[i].StdoutPipe()
			if err := cmds[i].Start(ctx); err != nil {
				t.Fatal(err)
			}
			inputs[i] = in
			fmt.Fprint(in, i)
			reactor.Go(ctx, func(context.Context) error {
				got, err := io.ReadAll(out)
				if string(got) != fmt.Sprint(i) {
					t.Errorf("the output of process %d is %q", i, got)
				}
				return err
			})
		}
		if _, err := reactor.ToThread(ctx, func(context.Context) (int, error) { return 0, nil }); err != nil {
			t.Error(err)
		}
		for i, c := range slices.Backward(cmds) {
			inputs[i].Close()
			if err := c.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}
