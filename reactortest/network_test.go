package reactortest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

const ms = time.Millisecond

// A link's latency and bandwidth are exact, and so are a handshake's round trips.
func TestLatencyAndBandwidth(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: 10 * ms})
		n.Host("server").Start(echo)
		reactor.Sleep(ctx, ms)
		at := func(what string, want time.Duration) {
			t.Helper()
			if got := now(ctx) - ms; got != want {
				t.Errorf("%s at %v, want %v", what, got, want)
			}
		}
		c, err := net.Dial(ctx, "tcp", "server:7")
		if err != nil {
			t.Fatal(err)
		}
		at("dialled", 20*ms)
		c.Write([]byte("x"))
		c.Read(make([]byte, 1))
		at("echoed", 40*ms)
		n.SetLinkOneWay(n.Hosts()[0], n.Host("server"), reactortest.Link{Latency: 10 * ms, Bandwidth: 1000})
		c.Write(make([]byte, 960)) // and 40 of headers: a second
		io.ReadFull(c, make([]byte, 960))
		at("sent 960 bytes", 1060*ms)
		p, _ := net.ListenPacket(n.Host("server").Context(ctx), "udp", ":9")
		u, _ := net.Dial(ctx, "udp", "server:9")
		for range 2 {
			u.Write(make([]byte, 72)) // and 28 of headers
		}
		p.ReadFrom(make([]byte, 100))
		at("first datagram", 1170*ms)
		p.ReadFrom(make([]byte, 100))
		at("second datagram", 1270*ms)
	}, 1)
}

// No byte is lost, doubled or moved by delays, losses, small buffers, short reads
// and writes, and faulty accepts; and each of these happens.
func TestStreamsUnderFaults(t *testing.T) {
	seen := map[string]bool{}
	o := reactortest.Options{Shuffle: true, Record: true, OnTrace: func(tr *reactortest.Trace) {
		for _, fault := range []string{"lost on the way", "accept fails: too many open", "accept fails: software caused", "reads \"", "writes \""} {
			seen[fault] = seen[fault] || strings.Contains(tr.String(), fault)
		}
	}}
	msg := testkit.Pattern(100_000)
	o.Simulate(t, func(ctx context.Context, n *network) {
		dice := reactortest.Rand(ctx)
		link := reactortest.Link{Latency: ms, Jitter: 20 * ms, Loss: 0.05}
		if dice.IntN(2) == 0 {
			link.Bandwidth = 1 << 20
		}
		n.SetLinks(link)
		for _, h := range []*reactortest.Host{n.Hosts()[0], n.Host("server")} {
			h.SetFaults(reactortest.HostFaults{ShortReads: 0.2, ShortWrites: 0.2, AcceptErrors: 0.3, Buffers: 2000 + dice.IntN(100_000)})
		}
		n.Host("server").Start(echo)
		reactor.Yield(ctx)
		reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range 3 {
				g.Go(func(ctx context.Context) error {
					for { // an accept that fails may reset a connection
						c := dial(t, ctx, "server:7")
						err := through(c, ctx, msg)
						c.Close()
						if err == nil {
							return nil
						}
						if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
							t.Error(err)
							return err
						}
					}
				})
			}
			return nil
		})
	}, seedsTo(30)...)
	for fault, happened := range seen {
		if !happened {
			t.Errorf("never: %s", fault)
		}
	}
}

func seedsTo(n uint64) (seeds []uint64) {
	for i := range n {
		seeds = append(seeds, i+1)
	}
	return seeds
}

// A writer stops when both buffers are full, and goes on when there is room.
func TestBackpressure(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		server := n.Host("server")
		server.SetFaults(reactortest.HostFaults{Buffers: 5000})
		n.Hosts()[0].SetFaults(reactortest.HostFaults{Buffers: 3000})
		ln, err := net.Listen(server.Context(ctx), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, ctx, "server:80")
		s, _ := ln.Accept()
		written := 0
		w := reactor.Go(ctx, func(ctx context.Context) error {
			for range 100 {
				n, err := c.Write(make([]byte, 100))
				if written += n; err != nil {
					return err
				}
			}
			return nil
		})
		reactor.Sleep(ctx, time.Second)
		if written != 8000 {
			t.Error("written against full buffers:", written)
		}
		io.ReadFull(s, make([]byte, 10_000))
		if err := w.Wait(ctx); err != nil || written != 10_000 {
			t.Error(written, err)
		}
	}, 1)
}

// Datagrams are lost, doubled and reordered as the link says, and not otherwise.
func TestDatagramFaults(t *testing.T) {
	send := func(l reactortest.Link) (got []int) {
		simulate(t, func(ctx context.Context, n *network) {
			got = nil
			n.SetLinks(l)
			p, _ := net.ListenPacket(n.Host("b").Context(ctx), "udp", ":9")
			p.(*net.UDPConn).SetReadBuffer(1 << 20)
			c, _ := net.Dial(ctx, "udp", "b:9")
			for i := range 1000 {
				fmt.Fprint(c, i)
				reactor.Sleep(ctx, ms)
			}
			p.SetReadDeadline(reactor.Now(ctx).Add(time.Minute))
			buf := make([]byte, 10)
			for {
				m, _, err := p.ReadFrom(buf)
				if err != nil {
					break
				}
				var i int
				fmt.Sscan(string(buf[:m]), &i)
				got = append(got, i)
			}
		}, 1)
		return got
	}
	distinct := func(s []int) int { s = slices.Clone(s); slices.Sort(s); return len(slices.Compact(s)) }
	if got := send(reactortest.Link{Latency: 5 * ms}); len(got) != 1000 || !slices.IsSorted(got) {
		t.Errorf("a good link: %d, in order: %v", len(got), slices.IsSorted(got))
	}
	if got := send(reactortest.Link{Loss: 0.3}); len(got) < 600 || len(got) > 800 || !slices.IsSorted(got) {
		t.Errorf("30%% lost: %d left, in order: %v", len(got), slices.IsSorted(got))
	}
	if got := send(reactortest.Link{Duplicate: 0.3}); len(got) < 1200 || len(got) > 1400 || distinct(got) != 1000 {
		t.Errorf("30%% doubled: %d, %d distinct", len(got), distinct(got))
	}
	if got := send(reactortest.Link{Latency: ms, Jitter: 5 * ms}); len(got) != 1000 || slices.IsSorted(got) {
		t.Errorf("jitter: %d, in order: %v", len(got), slices.IsSorted(got))
	}
	if got := send(reactortest.Link{Latency: ms, Reorder: 0.1}); len(got) != 1000 || slices.IsSorted(got) {
		t.Errorf("delays: %d, in order: %v", len(got), slices.IsSorted(got))
	}
	if got := send(reactortest.Link{Loss: 1}); len(got) != 0 {
		t.Errorf("all lost: %d left", len(got))
	}
}

// A datagram that finds no room is dropped.
func TestDatagramsDropped(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		b := n.Host("b")
		b.SetFaults(reactortest.HostFaults{Buffers: 10_000})
		p, _ := net.ListenPacket(b.Context(ctx), "udp", ":9")
		c, _ := net.Dial(ctx, "udp", "b:9")
		for range 30 {
			c.Write(make([]byte, 1000))
		}
		reactor.Sleep(ctx, ms)
		p.SetReadDeadline(reactor.Now(ctx).Add(ms))
		got := 0
		for {
			if _, _, err := p.ReadFrom(make([]byte, 1000)); err != nil {
				break
			}
			got++
		}
		if got != 8 { // that cost 2304 bytes each, of the 20000 which Linux makes of it
			t.Errorf("%d datagrams of 1000 bytes in a buffer of 10000", got)
		}
	}, 1)
}

// What is sent over a cut is late, not lost, if it is healed in time; the other
// hosts, and the other way, are not concerned.
func TestPartition(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		a, b := n.Host("a").Start(echo), n.Host("b").Start(echo)
		reactor.Yield(ctx)
		ca, cb := dial(t, ctx, "a:7"), dial(t, ctx, "b:7")
		ask := func(c net.Conn, limit time.Duration) bool {
			err := reactor.Timeout(ctx, limit, func(ctx context.Context) error {
				if _, err := c.Write([]byte("x")); err != nil {
					return err
				}
				_, err := c.Read(make([]byte, 1))
				return err
			})
			return err == nil
		}
		n.Partition(a)
		began := now(ctx)
		if ask(ca, time.Second) {
			t.Error("an answer through a partition")
		}
		if !ask(cb, time.Second) {
			t.Error("no answer from the same side")
		}
		if _, err := net.Dial(b.Context(ctx), "tcp", "b:7"); err != nil {
			t.Error("b can't reach itself:", err)
		}
		reactor.Sleep(ctx, 10*time.Second)
		n.Heal()
		if _, err := ca.Read(make([]byte, 1)); err != nil || now(ctx)-began != 12602*ms {
			t.Errorf("after healing: %v, at %v", err, now(ctx)-began) // 0.2+0.4+0.8+1.6+3.2+6.4 s, and the way
		}
		me := n.Hosts()[0]
		n.Cut(me, b)
		if ask(cb, time.Second) {
			t.Error("an answer to what was not heard")
		}
		n.Heal()
		cb.Read(make([]byte, 1))
		n.Cut(b, me)
		if ask(cb, time.Second) {
			t.Error("an answer that was not heard")
		}
		n.Heal()
		if _, err := cb.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
	}, 1)
}

// Connections end, after Linux's timeouts, if their data is not acknowledged,
// or, if they send nothing, their probes.
func TestGivingUp(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		a := n.Host("a").Start(echo)
		reactor.Yield(ctx)
		talker, listener := dial(t, ctx, "a:7"), dial(t, ctx, "a:7")
		reactor.Sleep(ctx, time.Second)
		n.Partition(a)
		began := now(ctx)
		wait := func(c net.Conn) time.Duration {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
				t.Error(err)
			}
			return now(ctx) - began
		}
		talker.(*net.TCPConn).SetKeepAlive(false)
		talker.Write([]byte("x"))
		if took := wait(listener); took < 140*time.Second || took > 160*time.Second {
			t.Error("the listener gave up after", took) // 15 s, and 9 probes 15 s apart
		}
		if took := wait(talker); took < 924*time.Second || took > 1050*time.Second {
			t.Error("the talker gave up after", took) // tcp_retries2
		}
	}, 1)
}

// The results of a dial.
func TestDialFailures(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		a, off := n.Host("a"), n.Host("off")
		off.Crash()
		for _, c := range []struct {
			address  string
			want     error
			min, max time.Duration
		}{
			{"a:9", syscall.ECONNREFUSED, 2 * ms, 2 * ms},
			{"off:9", syscall.ETIMEDOUT, 120 * time.Second, 260 * time.Second},
			{"192.0.2.7:9", syscall.EHOSTUNREACH, time.Second, 5 * time.Second},
		} {
			began := now(ctx)
			_, err := net.Dial(ctx, "tcp", c.address)
			if took := now(ctx) - began; !errors.Is(err, c.want) || took < c.min || took > c.max {
				t.Errorf("%s: %v after %v", c.address, err, took)
			}
		}
		if _, err := net.Dial(ctx, "tcp", "nowhere:9"); err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Error(err)
		}
		// A dial that is given up leaks nothing.
		n.Cut(n.Hosts()[0], a)
		err := reactor.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, err := net.Dial(ctx, "tcp", "a:9")
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		n.Heal()
		ln, _ := net.Listen(a.Context(ctx), "tcp", ":9")
		ln.(*net.TCPListener).SetDeadline(reactor.Now(ctx).Add(time.Minute))
		if _, err := ln.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("accepted what had given up:", err)
		}
	}, 1)
}

// A host that crashes is silent, and one that is up again resets; a program that
// is stopped has its sockets closed. Its tasks are cancelled, and what they still
// try fails.
func TestCrashAndStop(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		boots, ends := 0, 0
		var zombie error
		server := n.Host("server").Start(func(ctx context.Context) error {
			boots++
			defer func() {
				ends++
				_, zombie = net.Listen(context.WithoutCancel(ctx), "tcp", ":8")
			}()
			return echo(ctx)
		})
		reactor.Yield(ctx)
		c := dial(t, ctx, "server:7")
		server.Crash()
		reactor.Sleep(ctx, 10*ms)
		if server.Up() || boots != 1 || ends != 1 || !errors.Is(zombie, syscall.ENETDOWN) {
			t.Errorf("after a crash: up %v, %d boots, %d ends, %v", server.Up(), boots, ends, zombie)
		}
		if err := server.Wait(ctx); !errors.Is(err, reactortest.ErrCrashed) && err != nil {
			t.Error("it ended with", err)
		}
		c.SetReadDeadline(reactor.Now(ctx).Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("not silent:", err)
		}
		server.Restart()
		reactor.Sleep(ctx, 10*ms)
		c.SetReadDeadline(time.Time{})
		c.Write([]byte("x"))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("no reset from who forgot:", err)
		}
		c = dial(t, ctx, "server:7")
		reactor.Sleep(ctx, 10*ms) // or it would be stopped before it knows of the connection
		server.Stop()
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Error("no end from who was stopped:", err)
		}
		if _, err := net.Dial(ctx, "tcp", "server:7"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
		server.Start(echo)
		reactor.Yield(ctx)
		if dial(t, ctx, "server:7"); boots != 2 || !server.Up() {
			t.Error(boots)
		}
	}, 1)
}

// A connection whose other end has crashed and come back finds out by a probe,
// even if it sends nothing.
func TestProbeAfterARestart(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		server := n.Host("server").Start(echo)
		reactor.Yield(ctx)
		c := dial(t, ctx, "server:7")
		reactor.Sleep(ctx, 10*ms) // nothing is under way
		server.Crash()
		server.Restart()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) || now(ctx) > 20*time.Second {
			t.Error(err, now(ctx))
		}
	}, 1)
}

func TestResets(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		server := n.Host("server").Start(echo)
		reactor.Yield(ctx)
		c := dial(t, ctx, "server:7")
		n.Reset(server, n.Hosts()[0])
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
		n.SetLinks(reactortest.Link{Latency: ms, Reset: 0.5})
		resets := 0
		for range 100 {
			c, err := net.Dial(ctx, "tcp", "server:7")
			if err == nil {
				err = through(c, ctx, []byte("x"))
				c.Close()
			}
			if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
				resets++
			} else if err != nil {
				t.Error(err)
			}
		}
		if resets < 50 || resets == 100 {
			t.Error(resets, "of 100 were reset")
		}
	}, 1)
}

// A server that is out of descriptors pauses, and recovers.
func TestMaxFiles(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		server := n.Host("server")
		server.SetFaults(reactortest.HostFaults{MaxFiles: 3}) // a listener and two connections
		server.Start(echo)
		reactor.Yield(ctx)
		var cs []net.Conn
		for range 3 {
			cs = append(cs, dial(t, ctx, "server:7"))
		}
		cs[2].Write([]byte("x"))
		cs[2].SetReadDeadline(reactor.Now(ctx).Add(time.Second))
		if _, err := cs[2].Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		cs[2].SetReadDeadline(time.Time{})
		cs[0].Close()
		if _, err := cs[2].Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
	}, 1)
}

// Each host has a clock of its own, and deadlines by it are right.
func TestClocksOfHosts(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		ahead := n.Host("ahead")
		ahead.SetClock(time.Hour, 1000)
		ahead.Start(func(ctx context.Context) error {
			reactor.Sleep(ctx, 1000*time.Second)
			if d := reactor.Now(ctx).Sub(reactor.Now(n.Hosts()[0].Context(ctx))); d != time.Hour+time.Second {
				t.Error("ahead by", d)
			}
			began := now(ctx)
			p, err := net.ListenPacket(ctx, "udp", ":9")
			if err != nil {
				return err
			}
			p.SetReadDeadline(reactor.Now(ctx).Add(time.Second))
			p.ReadFrom(make([]byte, 1))
			if d := now(ctx) - began; d < 999*ms || d > 1001*ms {
				t.Error("a deadline of a second took", d)
			}
			began = now(ctx)
			reactor.TimeoutAt(ctx, reactor.Now(ctx).Add(time.Second), func(ctx context.Context) error {
				d, _ := ctx.Deadline()
				if left := d.Sub(reactor.Now(ctx)); left < time.Second || left > time.Second+2 {
					t.Error("the deadline is in", left)
				}
				return reactor.Sleep(ctx, time.Hour)
			})
			if d := now(ctx) - began; d < 999*ms || d > 1001*ms {
				t.Error("a timeout at a second took", d)
			}
			return nil
		})
		ahead.Wait(ctx)
	}, 1)
}
