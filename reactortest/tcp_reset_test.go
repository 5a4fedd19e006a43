package reactortest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// ends is a connection between the hosts "a" and "b".
type ends struct {
	t      testing.TB
	ctx    context.Context
	n      *network
	ah, bh *reactortest.Host
	a, b   *net.TCPConn
}

// connection connects two hosts over links of a millisecond, without keep-alive.
func connection(t testing.TB, ctx context.Context, n *network) *ends {
	t.Helper()
	n.SetLinks(reactortest.Link{Latency: ms})
	e := &ends{t: t, ctx: ctx, n: n, ah: n.Host("a"), bh: n.Host("b")}
	e.connect(e.ah, e.bh)
	return e
}

func (e *ends) connect(from, to *reactortest.Host) {
	e.t.Helper()
	ln, err := (&net.ListenConfig{KeepAlive: -1}).Listen(to.Context(e.ctx), "tcp", ":7")
	if err != nil {
		e.t.Fatal(err)
	}
	defer ln.Close()
	c, err := (&net.Dialer{KeepAlive: -1}).DialContext(from.Context(e.ctx), "tcp", to.Name()+":7")
	if err != nil {
		e.t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		e.t.Fatal(err)
	}
	e.a, e.b = c.(*net.TCPConn), s.(*net.TCPConn)
}

// receives reads msg.
func receives(t testing.TB, c net.Conn, msg []byte) {
	t.Helper()
	got := make([]byte, len(msg))
	if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, msg) {
		t.Errorf("%d bytes of %d, or others, and %v", n, len(msg), err)
	}
}

// givesUp cuts the hosts off until a has given up, and heals that.
func (e *ends) givesUp() {
	e.n.Partition(e.ah)
	io.WriteString(e.a, "unheard")
	if _, err := io.Copy(io.Discard, e.a); !errors.Is(err, syscall.ETIMEDOUT) {
		e.t.Error("a reads", err)
	}
	e.n.Heal()
}

// fill writes to a connection until there is no room.
func (e *ends) fill(c net.Conn) {
	for {
		c.SetWriteDeadline(reactor.Now(e.ctx).Add(time.Second))
		if _, err := c.Write(make([]byte, 100_000)); err != nil {
			break
		}
	}
	c.SetWriteDeadline(time.Time{})
}

// Each way in which an end of a connection can come to know nothing of it any more,
// and each thing that its peer may do then, or be about to do. None of them succeeds
// for ever, or waits for ever; see RFC 9293, 3.10.7.1: a segment for a connection that
// is CLOSED is answered with a reset.
func TestPeerIsForgotten(t *testing.T) {
	lost := func(e *ends, f func()) { // what a says is lost
		e.n.Cut(e.ah, e.bh)
		f()
		reactor.Sleep(e.ctx, time.Second)
		e.n.Heal()
	}
	forget := []struct {
		name string
		do   func(e *ends)
	}{
		{"gave up", (*ends).givesUp},
		{"gave up and closed", func(e *ends) { e.givesUp(); e.a.Close() }},
		{"closed and then gave up", func(e *ends) {
			e.n.Partition(e.ah)
			e.a.Close()
			reactor.Sleep(e.ctx, time.Hour)
			e.n.Heal()
		}},
		{"closed its end, then gave up", func(e *ends) {
			e.n.Partition(e.ah)
			e.a.CloseWrite()
			reactor.Sleep(e.ctx, time.Hour)
			e.n.Heal()
		}},
		{"its reset was lost", func(e *ends) { lost(e, func() { e.a.SetLinger(0); e.a.Close() }) }},
		{"its reset for unread data was lost", func(e *ends) {
			e.fill(e.b)
			lost(e, func() { e.a.Close() })
		}},
		{"crashed", func(e *ends) { e.ah.Crash() }},
		{"crashed and is back", func(e *ends) { e.ah.Crash(); e.ah.Restart() }},
		{"crashed and is back later", func(e *ends) { e.ah.Crash(); reactor.Sleep(e.ctx, time.Minute); e.ah.Restart() }},
		{"was stopped and restarted", func(e *ends) {
			e.fill(e.b)
			lost(e, func() { e.ah.Stop(); e.ah.Restart() })
		}},
	}
	final := func(err error) bool {
		return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ETIMEDOUT)
	}
	writes := func(e *ends) error {
		for {
			if _, err := e.b.Write([]byte("x")); err != nil {
				return err
			}
			reactor.Sleep(e.ctx, time.Second)
		}
	}
	for _, f := range forget {
		for _, p := range []struct {
			name   string
			before func(e *ends) // what b does at first
			after  func(e *ends) error
		}{
			{"writes", nil, writes},
			{"has no room", func(e *ends) { e.fill(e.b) }, writes},
			{"has no room, and a keep-alive", func(e *ends) {
				e.b.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true})
				e.fill(e.b)
			}, writes},
			{"waits, with a keep-alive", func(e *ends) { e.b.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true}) }, func(e *ends) error {
				_, err := io.Copy(io.Discard, e.b)
				return err
			}},
			{"closes its end and reads", nil, func(e *ends) error {
				if err := e.b.CloseWrite(); err != nil {
					return err
				}
				if _, err := io.Copy(io.Discard, e.b); err != nil {
					return err
				}
				return io.EOF // well, if a has said so
			}},
			{"closes", nil, func(e *ends) error {
				e.b.Close()
				reactor.Sleep(e.ctx, time.Hour)
				return syscall.ECONNRESET
			}},
		} {
			t.Run(f.name+"/"+p.name, func(t *testing.T) {
				simulate(t, func(ctx context.Context, n *network) {
					e := connection(t, ctx, n)
					if p.before != nil {
						p.before(e)
					}
					f.do(e)
					began := now(ctx)
					err := reactor.Timeout(ctx, 4*time.Hour, func(ctx context.Context) error {
						e := *e
						e.ctx = ctx
						return p.after(&e)
					})
					if !final(err) && err != io.EOF {
						t.Errorf("%v, after %v", err, now(ctx)-began)
					}
				}, 1)
			})
		}
	}
}

// After one side has given up, and the network heals, the other's writes fail.
func TestDeadSocketResets(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		e := connection(t, ctx, n)
		e.givesUp()
		if _, err := io.WriteString(e.b, "late"); err != nil {
			t.Error(err)
		}
		reactor.Sleep(ctx, 3*ms)
		if _, err := io.WriteString(e.b, "later"); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("b writes", err)
		}
		if _, err := io.WriteString(e.b, "latest"); !errors.Is(err, syscall.EPIPE) {
			t.Error("b writes again", err)
		}
	}, 1)
}

// A reset that is lost comes again with what it answers, and until it comes, nothing
// fails.
func TestLostReset(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		e := connection(t, ctx, n)
		e.givesUp()
		n.Cut(e.ah, e.bh)
		for range 5 {
			if _, err := io.WriteString(e.b, "late"); err != nil {
				t.Error("b can't know:", err)
			}
			reactor.Sleep(ctx, time.Second)
		}
		n.Heal()
		reactor.Sleep(ctx, time.Minute)
		if _, err := io.WriteString(e.b, "later"); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("b writes", err)
		}
	}, 1)
}

// What was in flight when its sender's program ended goes on: a peer that closes its
// end too, or is slow to read, is not reset.
func TestStoppedHostClosesWell(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		e := connection(t, ctx, n)
		io.WriteString(e.a, "testament")
		e.ah.Stop()
		reactor.Sleep(ctx, time.Second)
		if err := e.b.CloseWrite(); err != nil {
			t.Error(err)
		}
		reactor.Sleep(ctx, time.Second)
		if got, err := io.ReadAll(e.b); string(got) != "testament" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}, 1)
}

// A buffer that grows lets come what waits for room, and one that shrinks keeps what it
// has.
func TestBuffersChange(t *testing.T) {
	msg := testkit.Pattern(300_000)
	for name, change := range map[string]func(e *ends){
		"read buffer grows":    func(e *ends) { e.a.SetReadBuffer(1 << 20) },
		"read buffer shrinks":  func(e *ends) { e.a.SetReadBuffer(5000) },
		"write buffer grows":   func(e *ends) { e.b.SetWriteBuffer(1 << 20) },
		"write buffer shrinks": func(e *ends) { e.b.SetWriteBuffer(5000) },
		"host's grow":          func(e *ends) { e.ah.SetFaults(reactortest.HostFaults{Buffers: 1 << 20}) },
		"host's shrink":        func(e *ends) { e.ah.SetFaults(reactortest.HostFaults{Buffers: 1000}) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, local := range []bool{false, true} {
				simulate(t, func(ctx context.Context, n *network) {
					e := connection(t, ctx, n)
					if local {
						e.connect(e.ah, e.ah)
					}
					writing := reactor.Go(ctx, func(context.Context) error { _, err := e.b.Write(msg); e.b.Close(); return err })
					reactor.Sleep(ctx, time.Second)
					change(e)
					reactor.Sleep(ctx, time.Second)
					receives(t, e.a, msg)
					if err := writing.Wait(ctx); err != nil {
						t.Error(err)
					}
				}, 1)
			}
		})
	}
	simulate(t, func(ctx context.Context, n *network) { // room is used at once, not at the next read
		e := connection(t, ctx, n)
		written := false
		reactor.Go(ctx, func(context.Context) error { _, err := e.b.Write(msg); written = true; return err })
		reactor.Sleep(ctx, time.Second)
		if written {
			t.Error("it had room")
		}
		e.a.SetReadBuffer(1 << 20)
		reactor.Sleep(ctx, time.Second)
		if !written {
			t.Error("the new room is not used")
		}
		receives(t, e.a, msg)
	}, 1)
}
