package net

import (
	"context"
	"errors"
	"io"
	stdnet "net"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// branched runs test on a loop with a Branch of a listener on another loop, and with a
// function that makes a connection and hands it over.
func branched(t *testing.T, test func(ctx context.Context, b *Branch, give func() stdnet.Conn)) {
	t.Helper()
	defer testkit.LeakCheck(t)()
	err := reactor.Run(t.Context(), func(ctx context.Context) error {
		_, err := reactor.ToThread(ctx, func(context.Context) (none struct{}, err error) { return none, besideLoop(ctx, t, test) })
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// besideLoop runs a second loop, which accepts.
func besideLoop(first context.Context, t *testing.T, test func(ctx context.Context, b *Branch, give func() stdnet.Conn)) error {
	return reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		acceptors := reactor.LoopOf(ctx)
		wait := reactor.Submit(reactor.LoopOf(first), func(ctx context.Context) (none struct{}, err error) {
			b, err := NewBranch(ctx, ln)
			if err != nil {
				return none, err
			}
			test(ctx, b, func() stdnet.Conn {
				var client stdnet.Conn
				testkit.Blocking(t, "a handoff", func() (err error) {
					if client, err = stdnet.Dial("tcp", ln.Addr().String()); err != nil {
						return err
					}
					_, err = reactor.Submit(acceptors, func(ctx context.Context) (none struct{}, err error) {
						h, err := AcceptHandoff(ln)
						if err == nil {
							err = b.Give(ctx, h)
							if err != nil {
								h.Close()
							}
						}
						return none, err
					})(context.Background())
					return err
				})
				return client
			})
			return none, nil
		})
		_, err = reactor.ToThread(ctx, wait)
		return err
	})
}

// A Branch counts its connections, whoever closes them.
func TestBranchCountsConnections(t *testing.T) {
	branched(t, func(ctx context.Context, b *Branch, give func() stdnet.Conn) {
		for range 3 {
			defer give().Close()
		}
		var conns []Conn
		for range 2 {
			c, err := b.Accept()
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
		}
		if n := b.Conns(); n != 3 {
			t.Errorf("%d connections, one not accepted", n)
		}
		conns[0].Close()
		testkit.Blocking(t, "a goroutine's Close", conns[1].Close)
		if n := b.Conns(); n != 1 {
			t.Errorf("%d connections, two closed", n)
		}
		b.Close()
		if n := b.Conns(); n != 0 {
			t.Errorf("%d connections of a closed Branch", n)
		}
	})
}

// What waits when a Branch is closed is closed too, and Accept ends; so is what comes later.
func TestClosedBranch(t *testing.T) {
	branched(t, func(ctx context.Context, b *Branch, give func() stdnet.Conn) {
		client := give()
		defer client.Close()
		reactor.Yield(ctx)
		b.Close()
		testkit.Blocking(t, "the end of the connection", func() error {
			if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Errorf("the client read %d bytes, %v", n, err)
			}
			return nil
		})
		if _, err := b.Accept(); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		if err := b.Give(ctx, FailedHandoff(io.EOF)); err != ErrClosed {
			t.Errorf("Give: %v", err)
		}
		if err := b.Close(); !errors.Is(err, ErrClosed) {
			t.Errorf("a second Close: %v", err)
		}
	})
}

// An error is handed over as one of Accept; and Accept obeys its task's scope.
func TestBranchThatFails(t *testing.T) {
	branched(t, func(ctx context.Context, b *Branch, give func() stdnet.Conn) {
		if err := b.Give(ctx, FailedHandoff(io.ErrNoProgress)); err != nil {
			t.Error(err)
		}
		if _, err := b.Accept(); !errors.Is(err, io.ErrNoProgress) || b.Conns() != 0 {
			t.Errorf("Accept: %v; %d connections", err, b.Conns())
		}
		err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			reactor.LoopOf(ctx).CallSoon(func() { s.Cancel(nil) })
			_, err := b.Accept()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Accept in a scope that is cancelled: %v", err)
		}
	})
}

// Give waits while too many connections wait, and ends with its ctx.
func TestGiveWaitsForRoom(t *testing.T) {
	branched(t, func(ctx context.Context, b *Branch, give func() stdnet.Conn) {
		for range maxHandoffs {
			b.Give(ctx, FailedHandoff(io.EOF))
		}
		err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			reactor.LoopOf(ctx).CallSoon(func() { s.Cancel(nil) })
			return b.Give(ctx, FailedHandoff(io.EOF))
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Give to a full Branch: %v", err)
		}
		waits := reactor.Go(ctx, func(ctx context.Context) error { return b.Give(ctx, FailedHandoff(io.EOF)) })
		reactor.Yield(ctx)
		reactor.Yield(ctx)
		if waits.Finished() {
			t.Error("Give did not wait")
		}
		b.Accept()
		if err := waits.Wait(ctx); err != nil {
			t.Error(err)
		}
		b.Close()
	})
}
