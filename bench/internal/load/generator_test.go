//go:build linux

package load

import (
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serve runs a server, a goroutine for each connection, until the test ends.
func serve(t *testing.T, handle func(c net.Conn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return ln.Addr().String()
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func echo(c net.Conn) { io.Copy(struct{ io.Writer }{c}, c) }

// dialOrFail connects to a server, and checks in the end that nothing leaked.
func dialOrFail(t *testing.T, addr string, n int) *Generator {
	t.Helper()
	g, err := Dial(addr, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.checkCounts(t)
		g.Close()
	})
	return g
}

// checkCounts tests the invariants.
func (g *Generator) checkCounts(t *testing.T) {
	t.Helper()
	for i, c := range g.conns {
		if c.unsent < 0 || c.owed < c.unsent {
			t.Errorf("connection %d owes %d bytes, of which %d are unsent", i, c.owed, c.unsent)
		}
		if g.burst > 0 && (c.owed < 1 || c.owed > g.burst) {
			t.Errorf("connection %d owes %d bytes of a burst of %d", i, c.owed, g.burst)
		}
	}
}

func TestClosed(t *testing.T) {
	for _, x := range []struct{ conns, size, inFlight int }{{1, 1, 1}, {3, 64, 16}, {300, 64, 1}, {2, 100 << 10, 1}, {2, 1 << 20, 16}} {
		var echoed atomic.Int64
		addr := serve(t, func(c net.Conn) {
			buf := make([]byte, 64<<10)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				echoed.Add(int64(n))
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
		})
		g := dialOrFail(t, addr, x.conns)
		if err := g.Closed(x.size, x.inFlight); err != nil {
			t.Fatal(err)
		}
		checked := int64(x.conns * patternSize)
		sum := 0.0
		for range 2 { // the second goes on where the first has stopped
			s, err := g.Run(20 * time.Millisecond)
			if err != nil {
				t.Fatalf("%+v: %v", x, err)
			}
			sum += s.Messages
			if bursts := float64(s.Latency.Count()); bursts*float64(x.inFlight) > s.Messages+float64(x.conns*x.inFlight) {
				t.Errorf("%+v: %v bursts of %v messages", x, bursts, s.Messages)
			}
			if s.Busy < 0 || s.Busy > 1 {
				t.Errorf("%+v: busy for %v of the time", x, s.Busy)
			}
		}
		// All that came back was echoed, and no more than a burst is under way.
		got, want := int64(sum*float64(x.size)), echoed.Load()-checked
		if got > want || got < want-int64(x.conns*x.inFlight*x.size) {
			t.Errorf("%+v: %d bytes came back, of %d that were echoed", x, got, want)
		}
	}
}

// A server that stalls for a while must not hold back what is due meanwhile, nor
// may its effect be left out of the latencies.
func TestPacedCountsAStall(t *testing.T) {
	const rate, stall, length = 2000, 200 * time.Millisecond, 400 * time.Millisecond
	var stalled atomic.Bool
	addr := serve(t, func(c net.Conn) {
		buf := make([]byte, 4096)
		for first := true; ; first = false {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if !first && stalled.CompareAndSwap(false, true) {
				time.Sleep(stall)
			}
			c.Write(buf[:n])
		}
	})
	g := dialOrFail(t, addr, 1)
	if err := g.Paced(64, rate); err != nil {
		t.Fatal(err)
	}
	s, err := g.Run(length)
	if err != nil {
		t.Fatal(err)
	}
	want := rate * s.Wall.Seconds()
	if s.Messages < want*0.75 { // all but the last, which the server had time for
		t.Errorf("%v messages came back, of %v that were due", s.Messages, want)
	}
	if n := float64(s.Latency.Count()); n < want*0.9 || n > want*1.1 {
		t.Errorf("%v messages were counted, of %v that were due", n, want)
	}
	// The messages that were due during the stall waited for half of it on
	// average, which is half of all messages.
	if got := s.Latency.Quantile(0.75); got < stall/8 {
		t.Errorf("a quarter of the messages took %v or more, though the server stalled for %v", got, stall)
	}
	if got := s.Latency.Quantile(1); got < stall {
		t.Errorf("no message took longer than %v, though the server stalled for %v", got, stall)
	}
}

// A generator that is late itself does not leave that out.
func TestPacedCountsItsOwnLateness(t *testing.T) {
	const lateness = 50 * time.Millisecond
	g := dialOrFail(t, serve(t, echo), 2)
	if err := g.Paced(64, 1000); err != nil {
		t.Fatal(err)
	}
	time.Sleep(lateness) // what was due meanwhile is begun too late
	s, err := g.Run(50 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Latency.Quantile(1); got < lateness {
		t.Errorf("no message took longer than %v, though all began %v late", got, lateness)
	}
	if got := s.Late.Quantile(1); got < lateness {
		t.Errorf("the latest message was begun %v late, and not %v", got, lateness)
	}
}

// What never comes back counts too.
func TestPacedCountsWhatIsOwed(t *testing.T) {
	addr := serve(t, func(c net.Conn) {
		buf := make([]byte, patternSize)
		io.ReadFull(c, buf)
		c.Write(buf)
		io.Copy(io.Discard, c)
	})
	g := dialOrFail(t, addr, 2)
	if err := g.Paced(64, 1000); err != nil {
		t.Fatal(err)
	}
	s, err := g.Run(100 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Latency.Count(); n < 100 || s.Messages != 0 {
		t.Errorf("%d messages were counted and %v came back, of 100 that did not", n, s.Messages)
	}
	if got := s.Latency.Quantile(0.5); got < 30*time.Millisecond {
		t.Errorf("half of them are said to have taken %v", got)
	}
}

// What a socket does not take at once is sent when it can be, every byte of it.
func TestSendGoesOn(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	const size, times = 3 << 20, 3
	c := conn{fd: fds[0]}
	for range times {
		if err := c.begin(size, 0); err != nil {
			t.Fatal(err)
		}
	}
	if c.unsent == 0 || c.owed != size*times {
		t.Fatalf("of %d bytes, %d are unsent and %d owed", size*times, c.unsent, c.owed)
	}
	got, buf := 0, make([]byte, 1<<20)
	for {
		n, err := unix.Read(fds[1], buf)
		if err == unix.EAGAIN && c.unsent == 0 {
			break
		}
		if err != nil && err != unix.EAGAIN {
			t.Fatal(err)
		}
		got += max(0, n)
		if err := c.send(); err != nil {
			t.Fatal(err)
		}
	}
	if got != size*times {
		t.Errorf("%d bytes were sent, of %d", got, size*times)
	}
}

// The end of what the server sends may come together with data, and is not told
// again.
func TestEndWithData(t *testing.T) {
	g, err := Dial(serve(t, func(c net.Conn) {
		io.CopyN(c, c, 2*patternSize)
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	}), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.Closed(patternSize, 1); err != nil {
		t.Fatal(err)
	}
	p := []unix.PollFd{{Fd: int32(g.conns[0].fd), Events: unix.POLLRDHUP}}
	if n, err := unix.Poll(p, 10_000); n != 1 || err != nil {
		t.Fatalf("the server does not end what it sends: %v", err)
	}
	if _, err := g.Run(5 * time.Second); err != errClosed {
		t.Errorf("the server has ended what it sends, and the error is %v", err)
	}
}

func TestBadServers(t *testing.T) {
	copyThen := func(n int64, then func(c net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			io.CopyN(c, c, n)
			then(c)
		}
	}
	for _, x := range []struct {
		name   string
		handle func(c net.Conn)
		want   string
	}{
		{"changes a byte", func(c net.Conn) {
			buf := make([]byte, patternSize)
			io.ReadFull(c, buf)
			buf[33]++
			c.Write(buf)
			io.Copy(io.Discard, c)
		}, "did not echo"},
		{"closes at once", func(net.Conn) {}, ""},
		{"closes later", copyThen(10*patternSize, func(net.Conn) {}), ""},
		{"sends too much", copyThen(patternSize, func(c net.Conn) {
			c.Write(make([]byte, 1000))
			echo(c)
		}), "more than it received"},
	} {
		t.Run(x.name, func(t *testing.T) {
			g, err := Dial(serve(t, x.handle), 3)
			if err == nil {
				defer g.Close()
				if err = g.Closed(64, 1); err == nil {
					_, err = g.Run(5 * time.Second)
				}
			}
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Fatalf("the error is %v", err)
			}
		})
	}
}

func TestDialFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	before := openFiles(t)
	for _, addr := range []string{addr, "nowhere", "[::1]:80"} {
		if g, err := Dial(addr, 1); err == nil {
			g.Close()
			t.Errorf("there is somebody on %s", addr)
		}
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors were open, and now %d", before, after)
	}
}

func TestCloseClosesAll(t *testing.T) {
	const n = 10
	ended := make(chan struct{}, n)
	addr := serve(t, func(c net.Conn) { echo(c); ended <- struct{}{} })
	g, err := DialSilent(addr, n)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Check(); err != nil {
		t.Error(err)
	}
	g.Close()
	for i := range n {
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of %d connections are left open", n-i, n)
		}
	}
}

func TestBadLoads(t *testing.T) {
	g := dialOrFail(t, serve(t, echo), 1)
	for _, err := range []error{g.Closed(0, 1), g.Closed(1, 0), g.Paced(0, 1), g.Paced(1, 0), g.Paced(1, -1)} {
		if err == nil {
			t.Error("a load of nothing was accepted")
		}
	}
}
