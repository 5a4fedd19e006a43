package net

import (
	"context"
	stdnet "net"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// TestNettest runs the conformance suite for connections: called by ordinary
// goroutines as it stands, and with each call made by a task.
func TestNettest(t *testing.T) {
	testkit.Leaks(t)
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network+" from goroutines", func(t *testing.T) {
			t.Parallel()
			nettest.TestConn(t, pipes(t, network, func(_ *reactor.Loop, c Conn) Conn { return c }))
		})
		t.Run(network+" from tasks", func(t *testing.T) {
			t.Parallel()
			nettest.TestConn(t, pipes(t, network, func(l *reactor.Loop, c Conn) Conn { return shipped{c, l} }))
		})
	}
}

func pipes(t *testing.T, network string, wrap func(*reactor.Loop, Conn) Conn) nettest.MakePipe {
	s := stand(t, reactor.Options{})
	return func() (stdnet.Conn, stdnet.Conn, func(), error) {
		wait := reactor.Submit(s.loop, func(ctx context.Context) ([2]Conn, error) {
			a, b := pair(t, ctx, network)
			return [2]Conn{a, b}, nil
		})
		ends, err := wait(context.Background())
		if err != nil {
			return nil, nil, nil, err
		}
		stop := func() { ends[0].Close(); ends[1].Close() }
		return wrap(s.loop, ends[0]), wrap(s.loop, ends[1]), stop, nil
	}
}

// shipped makes each call of a connection's methods in a task of its loop.
type shipped struct {
	Conn
	loop *reactor.Loop
}

func ship[T any](s shipped, f func() (T, error)) (T, error) {
	return reactor.Submit(s.loop, func(context.Context) (T, error) { return f() })(context.Background())
}

func (s shipped) do(f func() error) error {
	_, err := ship(s, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

func (s shipped) Read(p []byte) (int, error) {
	return ship(s, func() (int, error) { return s.Conn.Read(p) })
}

func (s shipped) Write(p []byte) (int, error) {
	return ship(s, func() (int, error) { return s.Conn.Write(p) })
}

func (s shipped) Close() error { return s.do(s.Conn.Close) }

func (s shipped) SetDeadline(d time.Time) error {
	return s.do(func() error { return s.Conn.SetDeadline(d) })
}

func (s shipped) SetReadDeadline(d time.Time) error {
	return s.do(func() error { return s.Conn.SetReadDeadline(d) })
}

func (s shipped) SetWriteDeadline(d time.Time) error {
	return s.do(func() error { return s.Conn.SetWriteDeadline(d) })
}
