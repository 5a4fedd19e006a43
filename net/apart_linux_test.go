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

// A goroutine's typed dial ends with the Dialer's limits, with its ctx, and
// with the scope that the ctx is of, while the loop is blocked. Linux drops
// the connections for which a listener has no room.
func TestDialApartEnds(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := (&ListenConfig{Backlog: 1}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		to := netip.MustParseAddrPort(ln.Addr().String())
		from := netip.MustParseAddrPort("127.0.0.1:0")
		// hung dials until there is no room, and returns that dial's error.
		hung := func(dial func() (*TCPConn, error)) error {
			for {
				c, err := dial()
				if err != nil {
					return err
				}
				t.Cleanup(func() { c.Close() })
			}
		}
		short := 20 * time.Millisecond
		testkit.Blocking(t, "Timeout", func() error {
			return wrong(context.DeadlineExceeded, hung(func() (*TCPConn, error) { return (&Dialer{Timeout: short}).DialTCP(ctx, "tcp", from, to) }))
		})
		testkit.Blocking(t, "Deadline", func() error {
			return wrong(context.DeadlineExceeded, hung(func() (*TCPConn, error) {
				return (&Dialer{Timeout: time.Hour, Deadline: time.Now().Add(short)}).DialTCP(ctx, "tcp", from, to)
			}))
		})
		testkit.Blocking(t, "the ctx", func() error {
			return wrong(context.Canceled, hung(func() (*TCPConn, error) {
				ctx, cancel := context.WithCancel(ctx)
				defer time.AfterFunc(short, cancel).Stop()
				return (&Dialer{Timeout: time.Hour}).DialTCP(ctx, "tcp", from, to)
			}))
		})
		reactor.Timeout(ctx, short, func(ctx context.Context) error {
			testkit.Blocking(t, "a scope", func() error {
				return wrong(context.DeadlineExceeded, hung(func() (*TCPConn, error) { return (&Dialer{Timeout: time.Hour}).DialTCP(ctx, "tcp", from, to) }))
			})
			return nil
		})
	})
}

func wrong(want, err error) error {
	if errors.Is(err, want) {
		return nil
	}
	return err
}
