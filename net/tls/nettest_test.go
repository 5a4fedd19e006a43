package tls

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
// goroutines, and with each call made by a task.
func TestNettest(t *testing.T) {
	testkit.Leaks(t)
	t.Run("from goroutines", func(t *testing.T) {
		t.Parallel()
		nettest.TestConn(t, pipes(t, func(_ *reactor.Loop, c *Conn) stdnet.Conn { return c }))
	})
	t.Run("from tasks", func(t *testing.T) {
		t.Parallel()
		nettest.TestConn(t, pipes(t, func(l *reactor.Loop, c *Conn) stdnet.Conn { return shipped{c, l} }))
	})
}

func pipes(t *testing.T, wrap func(*reactor.Loop, *Conn) stdnet.Conn) nettest.MakePipe {
	loops := make(chan *reactor.Loop)
	quit, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- reactor.Run(context.Background(), func(ctx context.Context) error {
			loops <- reactor.LoopOf(ctx)
			_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { <-quit; return struct{}{}, nil })
			return err
		})
	}()
	loop := <-loops
	t.Cleanup(func() {
		close(quit)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return func() (stdnet.Conn, stdnet.Conn, func(), error) {
		ends, err := reactor.Submit(loop, func(ctx context.Context) ([2]*Conn, error) {
			a, b := shaken(t, ctx) // the suite sets deadlines that have passed, which a handshake would not survive
			return [2]*Conn{a, b}, nil
		})(context.Background())
		if err != nil {
			return nil, nil, nil, err
		}
		stop := func() { ends[0].Close(); ends[1].Close() }
		return wrap(loop, ends[0]), wrap(loop, ends[1]), stop, nil
	}
}

// shipped makes each call of a connection's methods in a task of its loop.
type shipped struct {
	*Conn
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
