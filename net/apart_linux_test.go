package net

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// A goroutine's dial ends with the Dialer's limits, with its ctx, and with the
// scope that the ctx is of, while the loop is blocked. Linux drops the
// connections for which a listener has no room.
func TestDialApartEnds(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := (&ListenConfig{Backlog: 1}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		for _, typed := range []bool{true, false} {
			dialApartEnds(ctx, t, func(ctx context.Context, d *Dialer) (Conn, error) {
				if typed {
					return d.DialTCP(ctx, "tcp", netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort(ln.Addr().String()))
				}
				return d.DialContext(ctx, "tcp", ln.Addr().String())
			})
		}
	})
}

func dialApartEnds(ctx context.Context, t *testing.T, dial func(context.Context, *Dialer) (Conn, error)) {
	const short = 20 * time.Millisecond
	// ends dials until there is no room, and fails unless that dial ends with want.
	ends := func(ctx context.Context, what string, want error, d func() *Dialer) {
		testkit.Blocking(t, what, func() error {
			for {
				ctx, cancel := context.WithCancel(ctx)
				if want == context.Canceled {
					time.AfterFunc(short, cancel)
				}
				c, err := dial(ctx, d())
				cancel()
				if err != nil {
					return wrong(want, err)
				}
				t.Cleanup(func() { c.Close() })
			}
		})
	}
	ends(ctx, "a Timeout", context.DeadlineExceeded, func() *Dialer { return &Dialer{Timeout: short} })
	ends(ctx, "a Deadline", context.DeadlineExceeded, func() *Dialer {
		return &Dialer{Timeout: time.Hour, Deadline: time.Now().Add(short)}
	})
	ends(ctx, "a ctx", context.Canceled, func() *Dialer { return &Dialer{Timeout: time.Hour} })
	reactor.Timeout(ctx, short, func(ctx context.Context) error {
		ends(ctx, "a scope", context.DeadlineExceeded, func() *Dialer { return &Dialer{Timeout: time.Hour} })
		return nil
	})
}

// wrong returns err, or nil if it is want.
func wrong(want, err error) error {
	if errors.Is(err, want) {
		return nil
	}
	return err
}
