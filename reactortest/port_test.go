package reactortest_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactortest"
)

// When the ephemeral ports are used up, each call has the error that Linux's has.
// Connections to different addresses may have the same port.
func TestPortsAreUsedUp(t *testing.T) {
	reactortest.SetPorts(t, 40000, 40003)
	simulate(t, func(ctx context.Context, n *network) {
		n.Host("server").Start(echo)
		n.Host("other").Start(echo)
		reactor.Yield(ctx)
		all := func(name string, want error, make func() error) {
			t.Helper()
			for i := range 6 {
				if err := make(); i < 4 && err != nil || i >= 4 && !errors.Is(err, want) {
					t.Errorf("%s %d: %v", name, i+1, err)
				}
			}
		}
		var conns []net.Conn
		for _, to := range []string{"server:7", "other:7"} {
			all("dial "+to, syscall.EADDRNOTAVAIL, func() error {
				c, err := net.Dial(ctx, "tcp", to)
				if err == nil {
					conns = append(conns, c)
				}
				return err
			})
		}
		if _, err := net.Listen(ctx, "tcp", ":0"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error("listen where connections have all ports:", err)
		}
		from := &net.TCPAddr{IP: net.ParseIP(n.Hosts()[0].Addr().String())}
		if _, err := (&net.Dialer{LocalAddr: from}).DialContext(ctx, "tcp", "server:7"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error("dial from an address, and any port:", err)
		}
		for _, c := range conns {
			c.Close()
		}
		reactor.Sleep(ctx, 59*time.Second)
		if _, err := net.Dial(ctx, "tcp", "server:7"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Error("while the ports are in TIME-WAIT:", err)
		}
		reactor.Sleep(ctx, 2*time.Second)
		all("listen", syscall.EADDRINUSE, func() error { _, err := net.Listen(ctx, "tcp", ":0"); return err })
		all("listen for datagrams", syscall.EADDRINUSE, func() error { _, err := net.ListenPacket(ctx, "udp", ":0"); return err })
		if _, err := net.Dial(ctx, "udp", "server:7"); !errors.Is(err, syscall.EAGAIN) {
			t.Error("dial for datagrams:", err)
		}
		if _, err := net.Dial(ctx, "tcp", "server:7"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Error("dial where listeners have all ports:", err)
		}
	}, 1)
}

// A port in TIME-WAIT outlives the process, but not the kernel; one that only the peer
// has ended is free after a minute, too.
func TestPortsOfStoppedHosts(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(e *ends)
		after time.Duration
		want  error
	}{
		"stopped":                     {func(e *ends) { e.ah.Stop(); e.b.Close(); e.ah.Restart() }, time.Second, syscall.EADDRINUSE},
		"stopped, a minute ago":       {func(e *ends) { e.ah.Stop(); e.b.Close(); e.ah.Restart() }, 61 * time.Second, nil},
		"crashed":                     {func(e *ends) { e.ah.Crash(); e.ah.Restart() }, 0, nil},
		"closed":                      {func(e *ends) { e.a.Close() }, 59 * time.Second, syscall.EADDRINUSE},
		"closed, a minute ago":        {func(e *ends) { e.a.Close() }, 61 * time.Second, nil},
		"closed by both, TIME-WAIT":   {func(e *ends) { e.a.Close(); reactor.Sleep(e.ctx, time.Second); e.b.Close() }, 59 * time.Second, syscall.EADDRINUSE},
		"closed by both, a minute":    {func(e *ends) { e.a.Close(); reactor.Sleep(e.ctx, time.Second); e.b.Close() }, 61 * time.Second, nil},
		"closed by both at once":      {func(e *ends) { e.a.Close(); e.b.Close() }, 59 * time.Second, syscall.EADDRINUSE},
		"closed in a partition":       {func(e *ends) { e.n.Partition(e.ah); e.a.Close() }, time.Minute * 10, syscall.EADDRINUSE},
		"given up":                    {func(e *ends) { e.n.Partition(e.ah); e.a.Close() }, time.Minute * 20, nil},
		"closed by the peer at first": {func(e *ends) { e.b.Close(); reactor.Sleep(e.ctx, time.Second); e.a.Close() }, time.Second, nil},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(ctx context.Context, n *network) {
				e := connection(t, ctx, n)
				port := e.a.LocalAddr().(*net.TCPAddr).Port
				c.end(e)
				reactor.Sleep(ctx, c.after)
				_, err := net.Listen(e.ah.Context(ctx), "tcp", fmt.Sprint(":", port))
				if c.want == nil && err != nil || !errors.Is(err, c.want) {
					t.Errorf("the port: %v, want %v", err, c.want)
				}
			}, 1)
		})
	}
}

// A connection can be made again from a port in TIME-WAIT, if both sockets allow it, on
// the host itself; see tcp_tw_reuse.
func TestPortInTimeWaitIsReused(t *testing.T) {
	for to, want := range map[string]error{"127.0.0.1:7": nil, "server:7": syscall.EADDRNOTAVAIL} {
		simulate(t, func(ctx context.Context, n *network) {
			reactor.Go(ctx, echo)
			n.Host("server").Start(echo)
			reactor.Yield(ctx)
			d := &net.Dialer{LocalAddr: &net.TCPAddr{}, Control: func(_, _ string, c syscall.RawConn) error {
				return c.Control(func(fd uintptr) { core.Sockets(ctx).SetInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
			}}
			c, err := d.DialContext(ctx, "tcp", to)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			reactor.Sleep(ctx, time.Second)
			d.LocalAddr = c.LocalAddr()
			if _, err := d.DialContext(ctx, "tcp", to); !errors.Is(err, want) {
				t.Errorf("%s again: %v, want %v", to, err, want)
			}
		}, 1)
	}
}
