package net

import (
	"context"
	stdnet "net"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

func TestNetworkOf(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"192.0.2.1:1", "192.0.2.1:2"},
		{"[::ffff:192.0.2.1]:1", "192.0.2.1:2"},
		{"[2001:db8::1]:1", "[2001:db8::ffff:2]:1"},
		{"[fe80::1%lo]:1", "[fe80::2]:1"},
	} {
		a, okA := networkOf(addr(t, c.a))
		b, okB := networkOf(addr(t, c.b))
		if a != b || !okA || !okB {
			t.Errorf("%s and %s are not one: %v, %v", c.a, c.b, a, b)
		}
	}
	a, _ := networkOf(addr(t, "192.0.2.1:1"))
	b, _ := networkOf(addr(t, "192.0.2.2:1"))
	c, _ := networkOf(addr(t, "[2001:db8:0:1::1]:1"))
	d, _ := networkOf(addr(t, "[2001:db8:0:2::1]:1"))
	if a == b || c == d {
		t.Error("two are one")
	}
	for _, none := range []Addr{&UnixAddr{Name: "/s"}, nil, &TCPAddr{}} {
		if n, ok := networkOf(none); ok {
			t.Errorf("%v has the address %v", none, n)
		}
	}
}

func addr(t *testing.T, s string) *TCPAddr {
	a, err := stdnet.ResolveTCPAddr("tcp", s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestMaxConnsPerAddr: an address at its limit gets no more connections, while
// others do, until some have ended.
func TestMaxConnsPerAddr(t *testing.T) {
	run(t, func(ctx context.Context) {
		s := &Server{MaxConnsPerAddr: 2, Grace: -1}
		v := serve(t, ctx, s, echo)
		from := func(host string) stdnet.Conn {
			t.Helper()
			d := stdnet.Dialer{LocalAddr: &TCPAddr{IP: stdnet.ParseIP(host)}}
			c, err := d.Dial("tcp", v.addr)
			if err != nil {
				t.Skip("no second address on this machine:", err)
			}
			t.Cleanup(func() { c.Close() })
			return c
		}
		first, second := from("127.0.0.1"), from("127.0.0.1")
		for _, c := range []stdnet.Conn{first, second} {
			if got := ask(t, ctx, c, "?"); got != "?" {
				t.Errorf("got %q", got)
			}
		}
		for range 20 {
			if got := ask(t, ctx, from("127.0.0.1"), ""); !strings.Contains(got, "EOF") && !strings.Contains(got, "reset") {
				t.Errorf("a third one: %q", got)
			}
		}
		first.Close()
		until(t, ctx, "there is room", func() bool { return s.Stats().Active == 1 })
		if got := ask(t, ctx, from("127.0.0.1"), "?"); got != "?" {
			t.Errorf("in the place of the first: %q", got)
		}
		v.stop()
		if got := s.Stats(); got.Shed != 20 || got.Accepted != 3 {
			t.Errorf("statistics: %+v", got)
		}
		log := v.log.settled(t, ctx)
		if n := strings.Count(log, "\n"); n != summaryLines || !strings.Contains(log, "too many") {
			t.Errorf("%d lines: %s", n, log)
		}
	})
}

// TestMaxConnsPerAddrOfOthers: one address's limit does not affect others.
func TestMaxConnsPerAddrOfOthers(t *testing.T) {
	s := &Server{MaxConnsPerAddr: 1}
	a, b := &TCPAddr{IP: stdnet.IPv4(192, 0, 2, 1)}, &TCPAddr{IP: stdnet.IPv4(192, 0, 2, 2)}
	s.count(a, 1)
	if !s.hasTooMany(a) || s.hasTooMany(b) || s.hasTooMany(&UnixAddr{}) {
		t.Error("the wrong one has too many")
	}
	s.count(a, -1)
	if s.hasTooMany(a) || len(s.addrs) != 0 {
		t.Errorf("left: %v", s.addrs)
	}
}

// TestDefaults: each limit gets a value, and a negative one stays.
func TestDefaults(t *testing.T) {
	s := new(Server).Defaults()
	if s.MaxConns <= 0 || s.MaxConnsPerAddr <= 0 || s.IdleTimeout <= 0 || s.MessageTimeout <= 0 || s.MaxConns < 10*s.MaxConnsPerAddr {
		t.Errorf("MaxConns %d, MaxConnsPerAddr %d, IdleTimeout %v, MessageTimeout %v", s.MaxConns, s.MaxConnsPerAddr, s.IdleTimeout, s.MessageTimeout)
	}
	s = (&Server{MaxConns: -1, MaxConnsPerAddr: -1, IdleTimeout: -1, MessageTimeout: time.Hour}).Defaults()
	if s.MaxConns != -1 || s.MaxConnsPerAddr != -1 || s.IdleTimeout != -1 || s.MessageTimeout != time.Hour {
		t.Errorf("MaxConns %d, MaxConnsPerAddr %d, IdleTimeout %v, MessageTimeout %v", s.MaxConns, s.MaxConnsPerAddr, s.IdleTimeout, s.MessageTimeout)
	}
	run(t, func(ctx context.Context) {
		v := serve(t, ctx, s, echo)
		c := v.dial(t)
		if got := ask(t, ctx, c, "?"); got != "?" {
			t.Errorf("got %q", got)
		}
		c.Close()
		v.stop()
		v.end(t, ctx, nil)
		reactor.Yield(ctx)
	})
}
