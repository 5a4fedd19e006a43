package net

import (
	"context"
	"errors"
	"fmt"
	stdnet "net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// listener makes a listener with the same ListenConfig of either package.
func (w *world) listener(lc ListenConfig, network, addr string) (Listener, error) {
	if w.isStd() {
		s := stdnet.ListenConfig{Control: lc.Control, KeepAlive: lc.KeepAlive, KeepAliveConfig: lc.KeepAliveConfig}
		return s.Listen(w.ctx, network, addr)
	}
	return lc.Listen(w.ctx, network, addr)
}

func TestListenConfigAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		refusal := errors.New("not this one")
		var called []any
		control := func(fail error) func(string, string, syscall.RawConn) error {
			return func(network, addr string, c syscall.RawConn) error {
				bound := false
				err := c.Control(func(fd uintptr) {
					sa, _ := unix.Getsockname(int(fd))
					a, ok := address(sa).(*TCPAddr)
					bound = ok && a.Port != 0
				})
				called = []any{network, addr, bound, err} // std may call it twice: it tries Multipath TCP first
				return fail
			}
		}
		for i, test := range []struct {
			network, addr string
			lc            ListenConfig
		}{
			{"tcp", "127.0.0.1:0", ListenConfig{Control: control(nil)}},
			{"tcp", ":0", ListenConfig{Control: control(nil)}},
			{"tcp", "[::]:0", ListenConfig{Control: control(nil)}},
			{"tcp4", ":0", ListenConfig{Control: control(nil)}},
			{"tcp6", "[::1]:0", ListenConfig{Control: control(nil)}},
			{"tcp", "127.0.0.1:0", ListenConfig{Control: control(refusal)}},
			{"tcp", ":0", ListenConfig{Control: control(unix.EAFNOSUPPORT)}},
			{"unix", anyAddr(t, "unix"), ListenConfig{Control: control(refusal)}},
			{"tcp", "127.0.0.1:0", ListenConfig{KeepAlive: -1}},
			{"tcp", "127.0.0.1:0", ListenConfig{KeepAlive: 3 * time.Second}},
			{"tcp", "127.0.0.1:0", ListenConfig{KeepAliveConfig: KeepAliveConfig{Enable: true, Idle: 7 * time.Second, Count: 5}}},
			{"tcp", "", ListenConfig{}},
			{"udp", ":0", ListenConfig{}},
			{"ip", "127.0.0.1", ListenConfig{}},
		} {
			what := fmt.Sprint("row ", i)
			called = nil
			ln, err := w.listener(test.lc, test.network, test.addr)
			w.note(what, err, errors.Is(err, refusal))
			if test.network != "unix" {
				w.note(what+": control", nil, called...)
			} else {
				w.note(what+": control", nil, called != nil)
			}
			if err != nil {
				continue
			}
			w.note(what+": at", nil, masked(ln.Addr()))
			c, err := stdnet.Dial(ln.Addr().Network(), ln.Addr().String())
			w.must(err)
			p, err := ln.Accept()
			w.must(err)
			for _, o := range tcpOptionsHere {
				w.note(what+": option", nil, option(t, p, o[0], o[1]))
			}
			c.Close()
			p.Close()
			ln.Close()
		}
	})
}

func TestListenTCPAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for i, a := range []struct {
			network string
			laddr   *TCPAddr
		}{
			{"tcp", nil},
			{"tcp4", nil},
			{"tcp6", nil},
			{"tcp", &TCPAddr{IP: IPv4(127, 0, 0, 1)}},
			{"tcp", &TCPAddr{IP: IPv6loopback}},
			{"tcp4", &TCPAddr{IP: IPv6loopback}},
			{"tcp6", &TCPAddr{IP: IPv4(127, 0, 0, 1)}},
			{"tcp", &TCPAddr{IP: IPv4(192, 0, 2, 1)}},
			{"tcp", &TCPAddr{IP: IP{1}}},
			{"unix", nil},
		} {
			var ln Listener
			var err error
			if w.isStd() {
				ln, err = stdnet.ListenTCP(a.network, a.laddr)
			} else {
				ln, err = ListenTCP(w.ctx, a.network, a.laddr)
			}
			if w.note(fmt.Sprint("row ", i), err); err != nil {
				var op *OpError
				errors.As(err, &op)
				w.note("of", nil, op.Addr)
				continue
			}
			w.note("at", nil, masked(ln.Addr()))
			ln.Close()
		}
	})
}

func TestReusePort(t *testing.T) {
	run(t, func(ctx context.Context) {
		shared := ListenConfig{ReusePort: true}
		first, err := shared.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		second, err := shared.Listen(ctx, "tcp", first.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(ctx, "tcp", first.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error("one that does not want to share:", err)
		}
		second.Close()
		c, err := Dial(ctx, "tcp", first.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p, err := first.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p.Close()

		u, err := shared.ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		u2, err := shared.ListenPacket(ctx, "udp", u.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		u2.Close()
		if _, err := ListenPacket(ctx, "udp", u.LocalAddr().String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error("one that does not want to share:", err)
		}
	})
}

// listens records the calls of listen(2), and has no dual-stack IPv6 sockets,
// or none for IPv6 at all.
type listens struct {
	sockets.System
	backlogs []int
	notDual  bool
	noIPv6   bool
}

func (k *listens) Listen(fd, backlog int) error {
	k.backlogs = append(k.backlogs, backlog)
	return k.System.Listen(fd, backlog)
}

func (k *listens) Socket(family, typ, proto int) (int, error) {
	if k.noIPv6 && family == unix.AF_INET6 {
		return -1, unix.EAFNOSUPPORT
	}
	return k.System.Socket(family, typ, proto)
}

func (k *listens) SetInt(fd, level, option, value int) error {
	if k.notDual && level == unix.IPPROTO_IPV6 && option == unix.IPV6_V6ONLY && value == 0 {
		return unix.EINVAL
	}
	return k.System.SetInt(fd, level, option, value)
}

func TestBacklog(t *testing.T) {
	k := &listens{}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		for _, backlog := range []int{0, 1, 5} {
			for _, network := range []string{"tcp", "unix"} {
				ln, err := (&ListenConfig{Backlog: backlog}).Listen(ctx, network, anyAddr(t, network))
				if err != nil {
					t.Fatal(err)
				}
				ln.Close()
			}
		}
	})
	if got := fmt.Sprint(k.backlogs); got != fmt.Sprint([]int{defaultBacklog, defaultBacklog, 1, 1, 5, 5}) {
		t.Error("backlogs", got)
	}
}

// TestNoIPv6: "any address" is IPv4's if there are no dual-stack sockets, and
// Control is called for each socket made.
func TestNoIPv6(t *testing.T) {
	for name, k := range map[string]*listens{"not dual": {notDual: true}, "no IPv6": {noIPv6: true}} {
		runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
			var networks []string
			lc := ListenConfig{Control: func(network, _ string, _ syscall.RawConn) error {
				networks = append(networks, network)
				return nil
			}}
			ln, err := lc.Listen(ctx, "tcp", ":0")
			if err != nil {
				t.Fatal(name, err)
			}
			defer ln.Close()
			if got := masked(ln.Addr()); got != "0.0.0.0:some" || fmt.Sprint(networks) != "[tcp4]" {
				t.Errorf("%s: listens on %s, Control saw %v", name, got, networks)
			}
			if _, err := lc.Listen(ctx, "tcp6", "[::]:0"); (err == nil) != (name == "not dual") {
				t.Error(name, err)
			}
		})
	}
}

// TestListenFailuresLeakNothing: no failure leaks a descriptor.
func TestListenFailuresLeakNothing(t *testing.T) {
	run(t, func(ctx context.Context) {
		fds := len(testkit.Holdings().FDs)
		refusal := errors.New("not this one")
		for range 10 {
			lc := ListenConfig{Control: func(string, string, syscall.RawConn) error { return refusal }}
			for _, a := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "s")}} {
				if _, err := lc.Listen(ctx, a[0], a[1]); !errors.Is(err, refusal) {
					t.Error(err)
				}
			}
			if _, err := lc.ListenPacket(ctx, "udp", "127.0.0.1:0"); !errors.Is(err, refusal) {
				t.Error(err)
			}
		}
		if n := len(testkit.Holdings().FDs); n > fds {
			t.Errorf("%d fds are open, were %d", n, fds)
		}
	})
}
