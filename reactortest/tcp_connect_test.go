package reactortest_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// A connect without an answer fails after Linux's time: 67 seconds until the last of ten
// retransmissions, with tcp_syn_linear_timeouts at 4, and 64 more. It is the same
// whichever way is cut, or if the listener's queue is full.
func TestUnansweredSYN(t *testing.T) {
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

// SYNs are sent at the times of Linux, and the one that arrives is answered.
func TestSYNIsRetransmitted(t *testing.T) {
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

// A server that crashes after a SYN, and is back, gets the SYN again.
func TestSYNIsRetransmittedAfterACrash(t *testing.T) {
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

// If no SYN-ACK arrives, connect fails when the listener gives up.
func TestSYNACKIsLost(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		server := n.Host("server").Start(echo)
		reactor.Sleep(ctx, time.Second)
		n.Cut(server, n.Hosts()[0])
		if _, err := net.Dial(ctx, "tcp", "server:7"); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Error(err)
		}
	}, 1)
}

// A listener's queue is bounded: who finds it full tries again.
func TestBacklog(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.SetLinks(reactortest.Link{Latency: ms})
		lc := net.ListenConfig{Backlog: 2}
		ln, err := lc.Listen(n.Host("server").Context(ctx), "tcp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		connected := 0
		for range 4 {
			reactor.Go(ctx, func(ctx context.Context) error {
				_, err := net.Dial(ctx, "tcp", "server:7")
				connected++
				return err
			})
		}
		reactor.Sleep(ctx, 500*ms)
		if connected != 3 {
			t.Error(connected, "are connected, with a backlog of 2; Linux takes one more")
		}
		for range 4 {
			if _, err := ln.Accept(); err != nil {
				t.Error(err)
			}
		}
		if reactor.Sleep(ctx, 10*ms); connected != 4 {
			t.Error(connected)
		}
	}, 1)
}
