package shard

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A service answers each connection with the number of its shard, on several shards.
type service struct {
	at      *Listener
	addr    string
	servers []*net.Server
	stop    context.CancelFunc
	done    chan error
}

// serve begins a service, which ends with the test at the latest.
func serve(t *testing.T, shards int, at *Listener, serveOn func(ctx context.Context, v *net.Server, ln net.Listener, shard byte) error) *service {
	t.Helper()
	testkit.Leaks(t)
	ctx, stop := context.WithCancel(t.Context())
	s := &service{at: at, stop: stop, done: make(chan error, 1)}
	for range shards {
		s.servers = append(s.servers, &net.Server{})
	}
	var up atomic.Int32
	ready := make(chan string, 1)
	go func() {
		s.done <- program(shards, func(ctx context.Context, sh *Shard[*counter]) error {
			ln, err := at.Listen(ctx)
			if err != nil {
				return err
			}
			if int(up.Add(1)) == shards {
				ready <- ln.Addr().String()
			}
			return serveOn(ctx, s.servers[sh.Index()], ln, byte(sh.Index()))
		}).Run(ctx)
	}()
	t.Cleanup(s.end)
	select {
	case s.addr = <-ready:
	case err := <-s.done:
		s.done <- err
		t.Fatal(err)
	}
	return s
}

func (s *service) end() {
	s.stop()
	err := <-s.done
	s.done <- err
}

// byTask serves by tasks: each sends its shard's number, and then waits for the client.
func byTask(ctx context.Context, v *net.Server, ln net.Listener, shard byte) error {
	return v.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
		c.Write([]byte{shard})
		_, err := io.Copy(c, c)
		return err
	})
}

// dial makes a connection, and returns which shard has it.
func (s *service) dial(t *testing.T, from string) (c stdnet.Conn, shard int) {
	t.Helper()
	d := stdnet.Dialer{}
	if from != "" {
		d.LocalAddr = &stdnet.TCPAddr{IP: stdnet.ParseIP(from)}
	}
	c, err := d.Dial(s.at.Network, s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		t.Fatal(err)
	}
	return c, int(b[0])
}

func (s *service) stats() (sum net.Stats) {
	for _, v := range s.servers {
		sum = sum.Add(v.Stats())
	}
	return sum
}

func tcp(balance Balance) *Listener {
	return &Listener{Network: "tcp", Address: "127.0.0.1:0", Balance: balance}
}

// The kernel's choice is left to it; it is a hash, so that of many connections each shard
// has some. The servers' statistics add up.
func TestKernelSpreadsConnections(t *testing.T) {
	const shards, conns = 3, 200
	s := serve(t, shards, tcp(nil), byTask)
	count := make([]int, shards)
	for range conns {
		_, shard := s.dial(t, "")
		count[shard]++
	}
	t.Logf("connections: %v", count)
	if slices.Min(count) == 0 {
		t.Errorf("connections: %v", count)
	}
	if got := s.stats(); got.Accepted != conns || got.Active != conns {
		t.Errorf("the servers count %+v", got)
	}
}

// With LeastConns shards differ by one at the most, also after some were closed.
func TestLeastConnsIsEven(t *testing.T) {
	const shards, conns = 4, 100
	s := serve(t, shards, tcp(LeastConns), byTask)
	var of [shards][]stdnet.Conn
	open := func(n int) {
		for range n {
			c, shard := s.dial(t, "")
			of[shard] = append(of[shard], c)
		}
	}
	open(conns)
	for i := range of {
		if len(of[i]) != conns/shards {
			t.Errorf("shard %d has %d", i, len(of[i]))
		}
	}
	for _, c := range of[2] {
		c.Close()
	}
	of[2] = nil
	testkit.Eventually(t, "the connections end", func() bool { return s.servers[2].Stats().Active == 0 })
	open(conns / shards)
	if len(of[2]) != conns/shards {
		t.Errorf("shard 2 has got %d of those it lacks", len(of[2]))
	}
}

// With ByAddress a client always comes to the same shard, and clients to different ones.
func TestByAddressIsSticky(t *testing.T) {
	s := serve(t, 4, tcp(ByAddress), byTask)
	var used [4]bool
	for i := range 40 {
		from := fmt.Sprintf("127.0.1.%d", i+1)
		if !canUse(from) {
			t.Skip("this system has one loopback address")
		}
		_, first := s.dial(t, from)
		_, again := s.dial(t, from)
		if first != again {
			t.Errorf("from %s: shard %d, then %d", from, first, again)
		}
		used[first] = true
	}
	if used != [4]bool{true, true, true, true} {
		t.Errorf("shards used: %v", used)
	}
}

// canUse reports whether connections can come from a loopback address.
func canUse(addr string) bool {
	ln, err := stdnet.Listen("tcp", addr+":0")
	if err == nil {
		ln.Close()
	}
	return err == nil
}

// The program's own function decides, and may refuse.
func TestBalanceOfTheProgram(t *testing.T) {
	next := 0
	s := serve(t, 3, tcp(func(net.Addr, []int) int {
		next++
		return []int{2, 1, -1}[(next-1)%3]
	}), byTask)
	for range 5 {
		for _, want := range []int{2, 1} {
			if _, shard := s.dial(t, ""); shard != want {
				t.Errorf("shard %d has it, not %d", shard, want)
			}
		}
		c, err := stdnet.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Error("a refused connection was served")
		}
		c.Close()
	}
}

// ServeReady and Unix sockets work with what is handed over, as with what is accepted.
func TestHandedOverConnections(t *testing.T) {
	unix := &Listener{Network: "unix", Address: filepath.Join(t.TempDir(), "socket")}
	ready := func(ctx context.Context, v *net.Server, ln net.Listener, shard byte) error {
		return v.ServeReady(ctx, ln, func(ctx context.Context, c *net.ReadyConn) error {
			if _, err := c.Borrow(); err != nil {
				return err
			}
			_, err := c.Write([]byte{shard})
			return err
		})
	}
	for name, at := range map[string]*Listener{"tcp": tcp(LeastConns), "unix": unix} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, 3, at, ready)
			for i := range 9 {
				c, err := stdnet.Dial(at.Network, s.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				for range 3 {
					b := []byte("x")
					c.Write(b)
					if _, err := io.ReadFull(c, b); err != nil || int(b[0]) != i%3 {
						t.Errorf("connection %d is on shard %d: %v", i, b[0], err)
					}
				}
			}
			s.end()
			if got := s.stats(); got.Accepted != 9 || got.Active != 0 {
				t.Errorf("the servers count %+v", got)
			}
			if _, err := stdnet.Dial(at.Network, s.addr); err == nil {
				t.Error("the address is still listened at")
			}
		})
	}
}

// A server that has all the connections that it may have holds up the acceptor, and loses
// nothing.
func TestFullShardHoldsUpTheAcceptor(t *testing.T) {
	at := tcp(func(net.Addr, []int) int { return 1 })
	s := serve(t, 2, at, func(ctx context.Context, v *net.Server, ln net.Listener, shard byte) error {
		v.MaxConns = 1
		return v.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error { _, err := c.Write([]byte{shard}); return err })
	})
	var clients []stdnet.Conn
	for range 400 { // more than may wait on the shard
		c, err := stdnet.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		clients = append(clients, c)
	}
	for i, c := range clients {
		if b, err := io.ReadAll(c); len(b) != 1 || b[0] != 1 {
			t.Fatalf("client %d: %v, %v", i, b, err)
		}
	}
}

// A second program is refused, unless both are to share the address.
func TestAddressOfAnotherProgram(t *testing.T) {
	for name, balance := range map[string]Balance{"kernel": nil, "acceptor": LeastConns} {
		t.Run(name, func(t *testing.T) {
			second := func(first *service, join bool) error {
				at := &Listener{Network: "tcp", Address: first.addr, Balance: balance, Join: join}
				return program(2, func(ctx context.Context, s *Shard[*counter]) error {
					_, err := at.Listen(ctx)
					return err
				}).Run(t.Context())
			}
			if err := second(serve(t, 2, tcp(balance), byTask), false); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("a second program: %v", err)
			}
			joint := tcp(balance)
			joint.Join = true
			if err := second(serve(t, 2, joint, byTask), true); err != nil {
				t.Errorf("a second program that joins: %v", err)
			}
		})
	}
}

// On one shard a Listener is a listener like others.
func TestListenerOfOneShard(t *testing.T) {
	s := serve(t, 1, tcp(ByAddress), byTask)
	if _, shard := s.dial(t, ""); shard != 0 {
		t.Errorf("shard %d", shard)
	}
}

func TestListenerMistakes(t *testing.T) {
	reactor.Run(t.Context(), func(ctx context.Context) error {
		if _, err := tcp(nil).Listen(ctx); err == nil || !strings.Contains(err.Error(), "outside of a shard") {
			t.Errorf("outside of a shard: %v", err)
		}
		return nil
	})
	at := tcp(LeastConns)
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		if _, err := at.Listen(ctx); err != nil {
			t.Error(err)
		}
		if _, err := at.Listen(ctx); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("called twice: %v", err)
		}
		return nil
	})
}

// Serve serves on all processors, and ends with its ctx.
func TestServe(t *testing.T) {
	defer testkit.LeakCheck(t)()
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- Serve(ctx, "tcp", addr, func(ctx context.Context, c net.Conn) error { _, err := io.Copy(c, c); return err })
	}()
	testkit.Eventually(t, "it serves", func() bool { // a connection to the socket that tries the address is reset
		c, err := stdnet.Dial("tcp", addr)
		if err != nil {
			return false
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(testkit.Patience / 4))
		c.Write([]byte("hello"))
		got := make([]byte, 5)
		_, err = io.ReadFull(c, got)
		return err == nil && string(got) == "hello"
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A Serve that is stopped before it serves ends without an error, too.
func TestServeIsStoppedAtOnce(t *testing.T) {
	defer testkit.LeakCheck(t)()
	for n := range 100 {
		stopAtOnce(t, n, func(ctx context.Context) {
			if err := Serve(ctx, "tcp", "127.0.0.1:0", func(context.Context, net.Conn) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
}

// stopAtOnce calls f with a ctx that is cancelled after n turns of the scheduler.
func stopAtOnce(t *testing.T, n int, f func(ctx context.Context)) {
	ctx, stop := context.WithCancel(t.Context())
	var stopping sync.WaitGroup
	stopping.Go(func() {
		for range n {
			runtime.Gosched()
		}
		stop()
	})
	f(ctx)
	stopping.Wait()
}
