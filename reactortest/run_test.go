package reactortest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

type network = reactortest.Network

func simulate(t testing.TB, f func(ctx context.Context, n *network), seeds ...uint64) {
	t.Helper()
	testkit.Leaks(t)
	reactortest.Options{Twice: true}.Simulate(t, f, seeds...)
}

// A failure prints the seed, once, and the command that replays it, and no later
// seed is run.
func TestFailurePrintsItsSeed(t *testing.T) {
	for name, fail := range map[string]func(t testing.TB){
		"Error":   func(t testing.TB) { t.Error("boom") },
		"FailNow": func(t testing.TB) { t.Error("boom"); t.FailNow() },
		"panic":   func(t testing.TB) { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			failing(t, func(t testing.TB) {
				reactortest.Simulate(t, func(ctx context.Context, n *network) {
					runs++
					if reactor.Yield(ctx); runs == 3 {
						fail(t)
					}
				}, 11, 12, 13, 14)
			}, "boom", "seed 13 failed", "go test -run '^TestX$/^sub$' -v -eddy.seed=13")
			if runs != 3 {
				t.Error(runs, "runs")
			}
		})
	}
}

// The seeds are those given, or else 1 to 100, and a run depends on its seed.
func TestSeeds(t *testing.T) {
	var seeds []uint64
	hashes := map[uint64]bool{}
	o := reactortest.Options{OnTrace: func(tr *reactortest.Trace) {
		seeds = append(seeds, tr.Seed)
		hashes[tr.Hash] = true
		if tr.Time != 10*time.Millisecond || tr.Events == 0 {
			t.Errorf("it took %v and %d events", tr.Time, tr.Events)
		}
	}}
	f := func(ctx context.Context, n *network) {
		reactor.Sleep(ctx, time.Duration(reactortest.Rand(ctx).IntN(1000)))
		reactor.Sleep(ctx, 10*time.Millisecond-now(ctx))
	}
	o.Simulate(t, f, 5, 3)
	if fmt.Sprint(seeds) != "[5 3]" {
		t.Error(seeds)
	}
	seeds = nil
	clear(hashes)
	o.Simulate(t, f)
	if len(seeds) != 100 || seeds[99] != 100 || len(hashes) < 50 {
		t.Errorf("%d seeds, %d hashes", len(seeds), len(hashes))
	}
}

func TestRand(t *testing.T) {
	var draws []uint64
	reactortest.Simulate(t, func(ctx context.Context, n *network) {
		draws = append(draws, reactortest.Rand(ctx).Uint64(), reactortest.Rand(ctx).Uint64())
	}, 1, 1, 2)
	if draws[0] == draws[1] || draws[0] != draws[2] || draws[1] != draws[3] || draws[0] == draws[4] {
		t.Error(draws)
	}
	if a := reactortest.Rand(context.Background()).Uint64(); a == reactortest.Rand(context.Background()).Uint64() {
		t.Error("real dice fall alike")
	}
}

// Influences other than the seed are detected by running twice, and the place
// is shown.
func TestTwiceFindsOtherDice(t *testing.T) {
	failing(t, func(t testing.TB) {
		reactortest.Options{Twice: true}.Simulate(t, func(ctx context.Context, n *network) {
			reactor.Sleep(ctx, time.Second)
			reactor.Sleep(ctx, time.Duration(rand.Int64N(1e9)))
		}, 1)
	}, "seed 1: a second run", "both", "1.000000000  test", "first", "second")
}

// A deadlock is reported with the names of the tasks and what they wait for.
func TestDeadlock(t *testing.T) {
	want := []string{"deadlock", "task 2 (thinker) waits for a mutex held by task 1 (test)", "task 3 (reader) waits for read of tcp listener 127.0.0.1:80", "task 1 (test) waits for task 2 (thinker)"}
	hang := func(ctx context.Context) {
		var m reactor.Mutex
		m.Lock(ctx)
		thinker := reactor.Go(ctx, func(ctx context.Context) error { return m.Lock(ctx) })
		thinker.SetName("thinker")
		reactor.Go(ctx, func(ctx context.Context) error {
			ln, err := net.Listen(ctx, "tcp", "127.0.0.1:80")
			if err != nil {
				return err
			}
			_, err = ln.Accept()
			return err
		}).SetName("reader")
		thinker.Wait(ctx)
	}
	failing(t, func(t testing.TB) { reactortest.Run(t, hang) }, want...)
	failing(t, func(t testing.TB) {
		reactortest.Simulate(t, func(ctx context.Context, n *network) { hang(ctx) }, 9)
	}, append(want, "seed 9 failed")...)
}

// A held clock that no task moves is a deadlock too.
func TestHeldClockDeadlock(t *testing.T) {
	failing(t, func(t testing.TB) {
		reactortest.Run(t, func(ctx context.Context) {
			reactortest.ClockOf(ctx).Hold()
			reactor.Sleep(ctx, time.Hour)
		})
	}, "deadlock", "task 1 (test) waits for a sleep to end")
}

// An error that is not awaited fails the test.
func TestUnawaitedError(t *testing.T) {
	failing(t, func(t testing.TB) {
		reactortest.Simulate(t, func(ctx context.Context, n *network) {
			n.Host("a").Start(func(ctx context.Context) error { return errors.New("unheard") })
			reactor.Sleep(ctx, time.Second)
		}, 1)
	}, "unheard", "nobody awaited")
}

func TestLimits(t *testing.T) {
	failing(t, func(t testing.TB) {
		reactortest.Options{Limit: time.Hour}.Simulate(t, func(ctx context.Context, n *network) {
			for reactor.Sleep(ctx, time.Second) == nil {
			}
		}, 1)
	}, "has not ended after 1h0m0s of virtual time")
	reactortest.SetMaxTurns(t, 1000)
	reactortest.Simulate(t, func(ctx context.Context, n *network) {
		for range 3 {
			for range 900 {
				reactor.Yield(ctx)
			}
			reactor.Sleep(ctx, 1)
		}
	}, 1)
	failing(t, func(t testing.TB) {
		reactortest.Simulate(t, func(ctx context.Context, n *network) {
			done := false
			reactor.Go(ctx, func(ctx context.Context) error { reactor.Sleep(ctx, 1); done = true; return nil })
			for !done && reactor.Yield(ctx) == nil {
			}
		}, 1)
	}, "turns at the same moment")
}

// A task that blocks the thread is named, with the seed.
func TestWatchdog(t *testing.T) {
	var once sync.Once
	blocked, said := make(chan bool), make(chan string, 100)
	reactortest.SetWatchdog(t, 10*time.Millisecond, writer(func(s string) { said <- s; once.Do(func() { close(blocked) }) }))
	reactortest.Simulate(t, func(ctx context.Context, n *network) {
		reactor.Yield(ctx)
		select {
		case <-blocked:
		case <-time.After(testkit.Patience):
			t.Error("nothing is said of a run that hangs")
		}
	}, 17)
	for _, want := range []string{"TestWatchdog: seed 17 hangs in task 1,", "-eddy.seed=17"} {
		if s := <-said; !strings.Contains(s, want) {
			t.Errorf("%q lacks %q", s, want)
		} else {
			said <- s
		}
	}
}

type writer func(string)

func (w writer) Write(p []byte) (int, error) { w(string(p)); return len(p), nil }

// What does not is not.
func TestNotRefused(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		l := reactor.LoopOf(ctx)
		ran := false
		l.Post(func() { ran = true })
		ch := make(chan int, 1)
		ch <- 1
		if v, _, err := reactor.Receive(ctx, ch); v != 1 || err != nil {
			t.Error(v, err)
		}
		type key struct{}
		reactor.Timeout(ctx, time.Second, func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(context.WithValue(ctx, key{}, "v"))
			defer cancel()
			return reactor.Sleep(ctx, time.Millisecond)
		})
		reactor.Sleep(context.WithoutCancel(ctx), time.Second)
		if !ran {
			t.Error("a post of a task's own is lost")
		}
	}, 1)
}

// ToThread calls its function in place, and others run meanwhile or after.
func TestToThreadInPlace(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		v, err := reactor.ToThread(ctx, func(context.Context) (int, error) { return 1, errors.New("e") })
		if v != 1 && err == nil || err.Error() != "e" {
			t.Error(v, err)
		}
		_, err = reactor.ToThread(ctx, func(context.Context) (int, error) { panic("p") })
		if pe := new(reactor.PanicError); !errors.As(err, &pe) || pe.Value != "p" {
			t.Error(err)
		}
		if now(ctx) != 0 {
			t.Error("it took", now(ctx))
		}
	}, 1)
}

// Without Shuffle tasks go first in, first out; with it, by the seed, while
// callbacks keep their order.
func TestShuffle(t *testing.T) {
	orders := map[string]int{}
	f := func(ctx context.Context, n *network) {
		var order []byte
		for _, c := range []byte("abcd12efgh3ij4") {
			if c < 'a' {
				reactor.LoopOf(ctx).CallSoon(func() { order = append(order, c) })
			} else {
				reactor.Go(ctx, func(ctx context.Context) error { order = append(order, c); return nil })
			}
		}
		reactor.Sleep(ctx, 1)
		if len(order) != 14 || string(order[4:6])+string(order[10])+string(order[13]) != "1234" {
			t.Errorf("callbacks have not kept their places: %s", order)
		}
		orders[string(order)]++
	}
	reactortest.Options{}.Simulate(t, f)
	if orders["abcd12efgh3ij4"] != 100 {
		t.Error("not first in, first out:", orders)
	}
	clear(orders)
	reactortest.Options{Shuffle: true, Twice: true}.Simulate(t, f)
	if len(orders) < 90 { // of 1152
		t.Error(len(orders), "orders with Shuffle")
	}
}

// A lost update, across an await, that needs another order than the queue's.
func TestShuffleFindsARace(t *testing.T) {
	failing(t, func(t testing.TB) {
		reactortest.Options{Shuffle: true}.Simulate(t, func(ctx context.Context, n *network) {
			ready := false
			reactor.Go(ctx, func(ctx context.Context) error { ready = true; return nil })
			reactor.Go(ctx, func(ctx context.Context) error {
				if !ready {
					t.Error("it relied on luck")
				}
				return nil
			})
			reactor.Sleep(ctx, 1)
		})
	}, "it relied on luck")
}

// A deadline by the system's clock counts as the time that is left.
func TestRealDeadlines(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		n.Host("server").Start(echo)
		c := dial(t, ctx, "server:7")
		began := now(ctx)
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		if took := now(ctx) - began; took != 5*time.Second {
			t.Error("it took", took)
		}
		c.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || now(ctx)-began != 5*time.Second {
			t.Error(err, now(ctx)-began)
		}
	}, 1)
}

// A fuzzer's bytes decide like a seed, and without bytes there are no faults.
func TestScript(t *testing.T) {
	run := func(script []byte) (hash uint64, lost int) {
		o := reactortest.Options{OnTrace: func(tr *reactortest.Trace) { hash = tr.Hash }}
		o.Script(t, script, func(ctx context.Context, n *network) {
			n.SetLinks(reactortest.Link{Latency: time.Millisecond, Loss: 0.5})
			p, _ := net.ListenPacket(n.Host("b").Context(ctx), "udp", ":9")
			c, _ := net.Dial(ctx, "udp", "b:9")
			for range 10 {
				io.WriteString(c, "x")
			}
			p.SetReadDeadline(reactor.Now(ctx).Add(time.Second))
			for lost = 10; ; lost-- {
				if _, _, err := p.ReadFrom(make([]byte, 1)); err != nil {
					break
				}
			}
		})
		return hash, lost
	}
	none, lost := run(nil)
	if lost != 0 {
		t.Error("without a script,", lost, "are lost")
	}
	some, lost := run([]byte{255, 255, 0, 0, 255, 255, 255, 255})
	if lost != 3 || some == none {
		t.Error("with one,", lost, "are lost")
	}
	if again, _ := run([]byte{255, 255, 0, 0, 255, 255, 255, 255}); again != some {
		t.Error("the same script went two ways")
	}
}
