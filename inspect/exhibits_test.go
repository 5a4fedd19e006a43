package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A server is shown while it serves, with what it has done.
func TestServersAreShown(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		called := new(reactor.Event)
		serving := reactor.Go(ctx, func(ctx context.Context) error {
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				called.Set()
				_, err := c.Read(make([]byte, 1))
				return err
			})
		})
		c, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		called.Wait(ctx)
		s, err := outside(ctx)
		if err != nil {
			return err
		}
		want := Server{Address: ln.Addr().String(), Connections: 1, Accepted: 1}
		if l := loopOf(t, ctx, s); len(l.Servers) != 1 || l.Servers[0] != want {
			t.Errorf("%+v, want %+v", l.Servers, want)
		}
		var text strings.Builder
		writeAll(&text, s)
		if want := fmt.Sprintf("server %v: 1 connections; 1 accepted,", ln.Addr()); !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
		c.Close()
		serving.Cancel(nil)
		serving.Wait(ctx)
		if s, err = outside(ctx); err == nil && len(loopOf(t, ctx, s).Servers) != 0 {
			t.Error("a server is shown that has ended")
		}
		return err
	})
}

// A step that has kept the thread is shown, by whichever option it counts as slow, once,
// with its stack.
func TestSlowStepsAreShown(t *testing.T) {
	quiet := func(reactor.Report) {}
	for name, o := range map[string]reactor.Options{
		"SlowStep":     {SlowStep: 50 * time.Millisecond, OnError: quiet, OnBlocked: quiet},
		"BlockedAfter": {BlockedAfter: 50 * time.Millisecond, OnError: quiet, OnBlocked: quiet},
		"both":         {SlowStep: 50 * time.Millisecond, BlockedAfter: 50 * time.Millisecond, OnError: quiet, OnBlocked: quiet},
	} {
		t.Run(name, func(t *testing.T) {
			err := o.Run(context.Background(), func(ctx context.Context) error {
				task := reactor.Go(ctx, func(context.Context) error {
					time.Sleep(500 * time.Millisecond) // the watchdog looks every 25
					return nil
				})
				task.SetName("slowcoach")
				if err := task.Wait(ctx); err != nil {
					return err
				}
				var slow []Slow
				for deadline := time.Now().Add(testkit.Patience); len(slow) == 0 && time.Now().Before(deadline); {
					reactor.Sleep(ctx, 100*time.Millisecond) // enough for a second one to show
					s, err := outside(ctx)
					if err != nil {
						return err
					}
					slow = slices.DeleteFunc(loopOf(t, ctx, s).Slow, func(x Slow) bool { return !strings.Contains(x.Task, "slowcoach") })
				}
				if len(slow) != 1 || slow[0].Took < 0.4 || !strings.Contains(slow[0].Stack, "exhibits_test.go") {
					t.Errorf("%+v", slow)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
