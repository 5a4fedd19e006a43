package net

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// TestDialInATaskWithAForeignContext: libraries dial with a context of their own,
// from within a task of the Dialer's loop.
func TestDialInATaskWithAForeignContext(t *testing.T) {
	type key struct{}
	run(t, func(ctx context.Context) {
		d := &Dialer{Loop: reactor.LoopOf(ctx)}
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		addr := netip.MustParseAddrPort(ln.Addr().String())
		path := anyAddr(t, "unix")
		un, err := Listen(ctx, "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer un.Close()
		cancellable, cancel := context.WithCancel(context.Background())
		defer cancel()
		for name, foreign := range map[string]context.Context{
			"Background": context.Background(),
			"cancel":     cancellable,
			"value":      context.WithValue(context.Background(), key{}, "theirs"),
		} {
			for way, dial := range map[string]func(context.Context) (Conn, error){
				"DialContext": func(ctx context.Context) (Conn, error) { return d.DialContext(ctx, "tcp", ln.Addr().String()) },
				"DialTCP":     func(ctx context.Context) (Conn, error) { return d.DialTCP(ctx, "tcp", netip.AddrPort{}, addr) },
				"DialUDP":     func(ctx context.Context) (Conn, error) { return d.DialUDP(ctx, "udp", netip.AddrPort{}, addr) },
				"DialUnix": func(ctx context.Context) (Conn, error) {
					return d.DialUnix(ctx, "unix", nil, &UnixAddr{Name: path, Net: "unix"})
				},
			} {
				c, err := dial(foreign)
				if err != nil {
					t.Errorf("%s, %s: %v", way, name, err)
					continue
				}
				c.Close()
			}
		}

		// Values are those of the foreign ctx.
		d.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
			if ctx.Value(key{}) != "theirs" {
				t.Errorf("a value: %v", ctx.Value(key{}))
			}
			return nil
		}
		foreign := context.WithValue(context.Background(), key{}, "theirs")
		err = reactor.Timeout(context.WithValue(ctx, key{}, "ours"), patience, func(context.Context) error {
			c, err := d.DialContext(foreign, "tcp", ln.Addr().String())
			if err == nil {
				c.Close()
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// A dial with a foreign context ends with it, and with the scope of its task.
func TestDialWithAForeignContextEnds(t *testing.T) {
	ends := map[string]struct {
		dial func(ctx context.Context, dial func(context.Context) error) error
		want error
	}{
		"with the foreign deadline": {func(ctx context.Context, dial func(context.Context) error) error {
			foreign, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			return dial(foreign)
		}, context.DeadlineExceeded},
		"with the foreign ctx": {func(ctx context.Context, dial func(context.Context) error) error {
			foreign, cancel := context.WithCancel(context.Background())
			reactor.Go(ctx, func(context.Context) error { cancel(); return nil })
			return dial(foreign)
		}, context.Canceled},
		"with the task's scope": {func(ctx context.Context, dial func(context.Context) error) error {
			return reactor.Timeout(ctx, time.Millisecond, func(context.Context) error { return dial(context.Background()) })
		}, context.DeadlineExceeded},
		"with the task's scope, below another ctx": {func(ctx context.Context, dial func(context.Context) error) error {
			foreign, cancel := context.WithCancel(context.Background())
			defer cancel()
			return reactor.Timeout(ctx, time.Millisecond, func(context.Context) error { return dial(foreign) })
		}, context.DeadlineExceeded},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) {
				d := &Dialer{Loop: reactor.LoopOf(ctx), ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
					return reactor.Sleep(ctx, patience) // a dial that takes its time
				}}
				err := end.dial(ctx, func(ctx context.Context) error {
					c, err := d.DialContext(ctx, "tcp", "127.0.0.1:1")
					if err == nil {
						c.Close()
					}
					return err
				})
				if !errors.Is(err, end.want) {
					t.Errorf("%v, want %v", err, end.want)
				}
				if ctx.Err() != nil {
					t.Error("the test's own time is over")
				}
			})
		})
	}
}

// A callback can't wait, and gets an error.
func TestDialInACallback(t *testing.T) {
	run(t, func(ctx context.Context) {
		l := reactor.LoopOf(ctx)
		var done reactor.Future[error]
		l.CallSoon(func() {
			_, err := (&Dialer{Loop: l}).DialContext(context.Background(), "tcp", "127.0.0.1:1")
			done.SetResult(err)
		})
		if err, _ := done.Await(ctx); err == nil {
			t.Error("it could dial")
		}
	})
}
