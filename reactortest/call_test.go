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
	"github.com/eddyio/eddy/reactortest"
)

// A call that nobody answers is given up after Linux's time: 67 seconds until the last
// of ten retries, with tcp_syn_linear_timeouts at 4, and 64 more. It is the same
// whichever way is cut, or if the listener's queue is full.
func TestUnansweredCall(t *testing.T) {
	for name, prevent := range map[string]func(ctx context.Context, n *network){
		"cut":       func(ctx context.Context, n *network) { n.Partition(n.Host("server")) },
		"cut there": func(ctx context.Context, n *network) { n.Cut(n.Hosts()[0], n.Host("server")) },
		"cut back":  func(ctx context.Context, n *network) { n.Cut(n.Host("server"), n.Hosts()[0]) },
		"off":       func(ctx context.Context, n *network) { n.Host("server").Crash() },
		"a full queue": func(ctx context.Context, n *network) {
			net.Dial(ctx, "tcp", "server:7")
			net.Dial(ctx, "tcp", "server:7")
		},
		"crashes after it was called": func(ctx context.Context, n *network) {
			reactor.LoopOf(ctx).CallLater(1500*time.Microsecond, n.Host("server").Crash)
			n.Cut(n.Host("server"), n.Hosts()[0])
		},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(ctx context.Context, n *network) {
				n.SetLinks(reactortest.Link{Latency: ms})
				lc := net.ListenConfig{Backlog: 1}
				if _, err := lc.Listen(n.Host("server").Context(ctx), "tcp", ":7"); err != nil {
					t.Fatal(err)
				}
				prevent(ctx, n)
				began := now(ctx)
				_, err := net.Dial(ctx, "tcp", "server:7")
				if took := now(ctx) - began; !errors.Is(err, syscall.ETIMEDOUT) || took < 131*time.Second || took > 133*time.Second {
					t.Errorf("%v after %v", err, took)
				}
			}, 1)
		})
	}
}

// The calls come at the times of Linux, and the one that arrives is answered.
func TestCallsAgain(t *testing.T) {
	for heal, want := range map[int]int{0: 0, 1: 1, 4: 4, 5: 5, 6: 7, 8: 11, 12: 19, 20: 35, 36: 67} {
		simulate(t, func(ctx context.Context, n *network) {
			n.Host("server").Start(echo)
			reactor.Yield(ctx)
			if heal > 0 {
				n.Partition(n.Host("server"))
				reactor.LoopOf(ctx).CallLater(time.Duration(heal)*time.Second-ms, n.Heal)
			}
			if _, err := net.Dial(ctx, "tcp", "server:7"); err != nil || int(now(ctx)/time.Second) != want {
				t.Errorf("healed after %ds: connected after %v, %v, want %ds", heal, now(ctx), err, want)
			}
		}, 1)
	}
}

// A server that is turned off after it was called, and is back, is called again.
func TestCalledAgainAfterACrash(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		server := n.Host("server").Start(echo)
		reactor.Yield(ctx)
		n.Cut(server, n.Hosts()[0])
		reactor.LoopOf(ctx).CallLater(1500*time.Microsecond, func() {
			server.Crash() // before its answer is there
			reactor.LoopOf(ctx).CallLater(10*ms, func() { n.Heal(); server.Restart() })
		})
		c, err := net.Dial(ctx, "tcp", "server:7")
		if err == nil {
			err = through(c, ctx, []byte("hello"))
		}
		if err != nil || now(ctx) > 10*time.Second {
			t.Errorf("%v after %v", err, now(ctx))
		}
	}, 1)
}

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

// A port in TIME-WAIT outlives the program, and not the machine; one that only the peer
// has ended is free after a minute, too.
func TestPortsOfTheDead(t *testing.T) {
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
				return c.Control(func(fd uintptr) { reactor.Sockets(ctx).SetInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
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

// A socket for datagrams in the Unix domain holds eleven, and whoever waits to send is
// woken when there is room.
func TestUnixDatagramsWait(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		p, err := net.ListenPacket(ctx, "unixgram", "@p")
		if err != nil {
			t.Fatal(err)
		}
		sent := 0
		for range 3 {
			reactor.Go(ctx, func(ctx context.Context) error {
				c, err := net.Dial(ctx, "unixgram", "@p")
				for err == nil && sent < 50 {
					if _, err = c.Write([]byte("x")); err == nil {
						sent++
					}
				}
				return err
			})
		}
		reactor.Sleep(ctx, time.Second)
		if sent != 11 {
			t.Errorf("%d are sent, want 11", sent)
		}
		for range 50 {
			if _, _, err := p.ReadFrom(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
	}, 1)
}
