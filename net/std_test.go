package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// A world is one of the two nets. What is done in both must come out the same.
type world struct {
	t       testing.TB
	ctx     context.Context
	dial    func(ctx context.Context, network, addr string) (Conn, error)
	listen  func(ctx context.Context, network, addr string) (Listener, error)
	spawn   func(f func()) (wait func()) // f runs beside the caller
	outcome []string
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// note records what an operation returned.
func (w *world) note(what string, err error, results ...any) {
	w.outcome = append(w.outcome, fmt.Sprint(what, " ", results, " ", exactly(err)))
}

// inBothWorlds fails unless f notes the same with std's net as with this one, in
// a task and on an ordinary goroutine.
func inBothWorlds(t *testing.T, f func(w *world)) {
	t.Helper()
	var d stdnet.Dialer
	var lc stdnet.ListenConfig
	std := &world{t: t, ctx: context.Background(), dial: d.DialContext, listen: lc.Listen, spawn: beside}
	within(t, "std's net", func() { f(std) })
	if testing.Verbose() {
		t.Log(strings.Join(std.outcome, "\n"))
	}
	task := &world{t: t, dial: Dial, listen: Listen}
	task.spawn = func(f func()) func() {
		beside := reactor.Go(task.ctx, func(context.Context) error { f(); return nil })
		parked(task.ctx)
		return func() { beside.Wait(task.ctx) }
	}
	goroutine := &world{t: t, dial: Dial, listen: Listen, spawn: beside}
	if !t.Failed() {
		run(t, func(ctx context.Context) {
			task.ctx = ctx
			f(task)
		})
		std.compare("a task", task)
	}
	if !t.Failed() {
		run(t, func(ctx context.Context) {
			goroutine.ctx = ctx
			outside(t, ctx, func() error { f(goroutine); return nil })
		})
		std.compare("a goroutine", goroutine)
	}
}

// beside runs f on a goroutine.
func beside(f func()) (wait func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	return func() { <-done }
}

// compare fails unless what came out elsewhere, from where it was called, is the
// same as here.
func (w *world) compare(where string, other *world) {
	w.t.Helper()
	differ := 0
	for i := range max(len(w.outcome), len(other.outcome)) {
		a, b := at(w.outcome, i), at(other.outcome, i)
		if a != b && differ < 5 { // one that is missing makes all that follow differ
			differ++
			w.t.Errorf("in %s, step %d:\n\tstd:  %s\n\teddy: %s", where, i, a, b)
		}
	}
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return "nothing"
}

// describe tells of an error what programs ask of it.
func describe(err error) string {
	switch err {
	case nil:
		return "ok"
	case io.EOF:
		return "io.EOF"
	}
	var s []string
	var op *OpError
	if errors.As(err, &op) {
		s = append(s, "op="+op.Op, "net="+op.Net)
	}
	for name, class := range map[string]error{
		"ErrClosed": ErrClosed, "ErrDeadlineExceeded": os.ErrDeadlineExceeded,
		"Canceled": context.Canceled, "DeadlineExceeded": context.DeadlineExceeded,
	} {
		if errors.Is(err, class) {
			s = append(s, name)
		}
	}
	slices.Sort(s)
	var ne Error
	if errors.As(err, &ne) && ne.Timeout() {
		s = append(s, "timeout")
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		s = append(s, "in "+call.Syscall)
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		s = append(s, unix.ErrnoName(errno))
	}
	var dns *DNSError
	if errors.As(err, &dns) {
		s = append(s, fmt.Sprintf("DNS not found=%v", dns.IsNotFound))
	}
	var addr *AddrError
	if errors.As(err, &addr) {
		s = append(s, "AddrError "+addr.Err)
	}
	var unknown UnknownNetworkError
	if errors.As(err, &unknown) {
		s = append(s, "UnknownNetworkError")
	}
	if len(s) == 0 {
		return err.Error()
	}
	return strings.Join(s, " ")
}

// half is what both nets' connections can do besides.
type half interface {
	CloseRead() error
	CloseWrite() error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

func past() time.Time { return time.Now().Add(-time.Second) }
func soon() time.Time { return time.Now().Add(time.Millisecond) }

// inTime moves c's read deadline, which is the time d from now, while read waits. On a
// machine too busy to move it before it passes, all is done again, and what was noted
// before is forgotten.
func (w *world) inTime(c Conn, d time.Duration, move, read func()) {
	noted := len(w.outcome)
	for {
		due := time.Now().Add(d)
		c.SetReadDeadline(due)
		wait := w.spawn(read)
		move()
		moved := time.Now()
		wait()
		if moved.Before(due) {
			return
		}
		w.outcome, d = w.outcome[:noted], 2*d
	}
}

// fill writes until the kernel takes no more, also some time later.
func fill(w *world, c Conn) {
	raw, err := c.(rawConner).SyscallConn()
	w.must(err)
	p := make([]byte, 1<<16)
	for moved := true; moved; time.Sleep(5 * time.Millisecond) {
		moved = false
		w.must(raw.Write(func(fd uintptr) bool {
			for {
				n, err := unix.Write(int(fd), p)
				if err != nil && err != unix.EINTR {
					return true
				}
				moved = moved || n > 0
			}
		}))
	}
}

// writeOn writes until it fails, and returns how: the kernel may find room at any time.
func writeOn(c Conn) error {
	for {
		if n, err := c.Write([]byte("x")); err != nil {
			if n != 0 {
				err = fmt.Errorf("after %d bytes of one: %w", n, err)
			}
			return err
		}
	}
}

// A step is something done to a connection, c, whose peer is a std one.
type step struct {
	name string
	do   func(w *world, c Conn, peer stdnet.Conn)
}

var onConn = []step{
	{"data", func(w *world, c Conn, peer stdnet.Conn) {
		peer.Write([]byte("hello"))
		p := make([]byte, 3)
		n, err := c.Read(p)
		w.note("read", err, n, string(p))
		n, err = c.Read(p)
		w.note("read", err, n, string(p[:n]))
		n, err = c.Write([]byte("ho"))
		w.note("write", err, n)
		n, err = peer.Read(p)
		w.note("peer", err, n, string(p[:n]))
	}},
	{"zero-length", func(w *world, c Conn, peer stdnet.Conn) {
		n, err := c.Read(nil)
		w.note("read", err, n)
		n, err = c.Read([]byte{})
		w.note("read", err, n)
		n, err = c.Write(nil)
		w.note("write", err, n)
		c.SetDeadline(past())
		n, err = c.Read(nil)
		w.note("read after deadline", err, n)
		n, err = c.Write(nil)
		w.note("write after deadline", err, n)
		c.SetDeadline(time.Time{})
		c.(half).CloseWrite()
		n, err = c.Write(nil)
		w.note("write after CloseWrite", err, n)
		c.Close()
		n, err = c.Read(nil)
		w.note("read after close", err, n)
		n, err = c.Write(nil)
		w.note("write after close", err, n)
	}},
	{"zero-length read with peer gone", func(w *world, c Conn, peer stdnet.Conn) {
		peer.Close()
		n, err := c.Read(nil)
		w.note("read", err, n)
		n, err = c.Read(make([]byte, 1))
		w.note("read", err, n)
		n, err = c.Read(make([]byte, 1))
		w.note("read again", err, n)
		n, err = c.Read(nil)
		w.note("read", err, n)
	}},
	{"CloseRead", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("CloseRead", c.(half).CloseRead())
		n, err := c.Read(make([]byte, 8))
		w.note("read", err, n)
		n, err = c.Write([]byte("x"))
		w.note("write", err, n)
		w.note("CloseRead again", c.(half).CloseRead())
	}},
	{"CloseRead with data waiting", func(w *world, c Conn, peer stdnet.Conn) {
		peer.Write([]byte("hello"))
		p := make([]byte, 2)
		_, err := io.ReadFull(c, p)
		w.note("read", err, string(p))
		w.note("CloseRead", c.(half).CloseRead())
		rest, err := io.ReadAll(c)
		w.note("the rest", err, string(rest))
	}},
	{"CloseRead while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		wait := w.spawn(func() {
			n, err := c.Read(make([]byte, 8))
			w.note("read", err, n)
		})
		c.(half).CloseRead()
		wait()
	}},
	{"CloseWrite", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("CloseWrite", c.(half).CloseWrite())
		n, err := c.Write([]byte("x"))
		w.note("write", err, n)
		_, err = peer.Read(make([]byte, 8))
		w.note("the peer's read", err)
		peer.Write([]byte("still"))
		peer.Close()
		rest, err := io.ReadAll(c)
		w.note("the rest", err, string(rest))
	}},
	{"CloseWrite twice", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("CloseWrite", c.(half).CloseWrite())
		w.note("CloseWrite again", c.(half).CloseWrite())
		peer.Close()
		n, err := c.Read(make([]byte, 8))
		w.note("read", err, n)
	}},
	{"the peer's half-close", func(w *world, c Conn, peer stdnet.Conn) {
		peer.Write([]byte("hello"))
		peer.(half).CloseWrite()
		p := make([]byte, 8) // larger than what is there: drained, and hung up
		n, err := c.Read(p)
		w.note("read", err, n)
		n, err = c.Read(p)
		w.note("read", err, n)
		n, err = c.Read(p)
		w.note("read", err, n)
		n, err = c.Write([]byte("back"))
		w.note("write", err, n)
		n, err = peer.Read(p)
		w.note("the peer's read", err, n)
	}},
	{"the peer's half-close while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		wait := w.spawn(func() {
			n, err := c.Read(make([]byte, 8))
			w.note("read", err, n)
		})
		peer.(half).CloseWrite()
		wait()
	}},
	{"half-close from both sides", func(w *world, c Conn, peer stdnet.Conn) {
		c.Write([]byte("there"))
		w.note("CloseWrite", c.(half).CloseWrite())
		peer.Write([]byte("and back"))
		peer.(half).CloseWrite()
		got, err := io.ReadAll(c)
		w.note("read", err, string(got))
		got, err = io.ReadAll(peer)
		w.note("the peer's read", err, string(got))
		w.note("close", c.Close())
	}},
	{"write after the peer's close", func(w *world, c Conn, peer stdnet.Conn) {
		c.Write([]byte("unread"))
		peer.Close()
		var err error
		for until := time.Now().Add(patience); err == nil && time.Now().Before(until); {
			_, err = c.Write([]byte("x"))
		}
		w.note("write", err)
		_, err = c.Write([]byte("x"))
		w.note("write again", err)
	}},
	{"read after the peer's close with data unread", func(w *world, c Conn, peer stdnet.Conn) {
		c.Write([]byte("unread"))
		peer.Close()
		n, err := c.Read(make([]byte, 8))
		w.note("read", err, n)
		n, err = c.Read(make([]byte, 8))
		w.note("read again", err, n)
	}},
	{"a read deadline in the past", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("set", c.SetReadDeadline(past()))
		n, err := c.Read(make([]byte, 8))
		w.note("read", err, n)
		n, err = c.Write([]byte("x"))
		w.note("write", err, n)
		peer.Write([]byte("data"))
		n, err = c.Read(make([]byte, 8))
		w.note("read with data waiting", err, n)
		w.note("cleared", c.SetReadDeadline(time.Time{}))
		n, err = c.Read(make([]byte, 8))
		w.note("read", err, n)
		c.SetReadDeadline(past())
		w.note("later", c.SetReadDeadline(time.Now().Add(time.Hour)))
		peer.Write([]byte("more"))
		n, err = c.Read(make([]byte, 8))
		w.note("read", err, n)
	}},
	{"a read deadline at the epoch", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("set", c.SetReadDeadline(time.Unix(1, 0)))
		n, err := c.Read(make([]byte, 8))
		w.note("read", err, n)
		w.note("set", c.SetReadDeadline(time.Unix(1<<40, 0)))
		peer.Write([]byte("data"))
		n, err = c.Read(make([]byte, 8))
		w.note("read", err, n)
	}},
	{"a write deadline in the past", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("set", c.SetWriteDeadline(past()))
		n, err := c.Write([]byte("x"))
		w.note("write", err, n)
		w.note("cleared", c.SetWriteDeadline(time.Time{}))
		n, err = c.Write([]byte("x"))
		w.note("write", err, n)
		p := make([]byte, 8)
		n, err = peer.Read(p)
		w.note("the peer's read", err, n)
	}},
	{"a read deadline that passes", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("set", c.SetReadDeadline(soon()))
		n, err := c.Read(make([]byte, 8))
		w.note("read", err, n)
		n, err = c.Read(make([]byte, 8))
		w.note("read again", err, n)
		w.note("cleared", c.SetDeadline(time.Time{}))
		peer.Write([]byte("x"))
		n, err = c.Read(make([]byte, 8))
		w.note("read", err, n)
	}},
	{"a write deadline that passes", func(w *world, c Conn, peer stdnet.Conn) {
		fill(w, c)
		w.note("set", c.SetWriteDeadline(soon()))
		w.note("write", writeOn(c))
	}},
	{"a deadline set while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		wait := w.spawn(func() {
			n, err := c.Read(make([]byte, 8))
			w.note("read", err, n)
		})
		c.SetReadDeadline(past())
		wait()
	}},
	{"a deadline set while a write waits", func(w *world, c Conn, peer stdnet.Conn) {
		fill(w, c)
		wait := w.spawn(func() {
			w.note("write", writeOn(c))
		})
		c.SetDeadline(past())
		wait()
	}},
	{"a deadline moved while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		var later, end time.Time
		move := func() { later = time.Now().Add(30 * time.Millisecond); c.SetReadDeadline(later) }
		w.inTime(c, 10*time.Millisecond, move, func() {
			n, err := c.Read(make([]byte, 8))
			end = time.Now()
			w.note("read", err, n)
		})
		w.note("early", nil, end.Before(later))
		c.SetReadDeadline(time.Now().Add(time.Hour))
		wait := w.spawn(func() {
			n, err := c.Read(make([]byte, 8))
			w.note("read", err, n)
		})
		c.SetReadDeadline(soon()) // earlier than the timer is set for
		wait()
	}},
	{"a deadline cleared while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		clear := func() {
			c.SetReadDeadline(time.Time{})
			time.AfterFunc(60*time.Millisecond, func() { peer.Write([]byte("late")) })
		}
		w.inTime(c, 20*time.Millisecond, clear, func() {
			n, err := c.Read(make([]byte, len("late"))) // and no more: one that came too late was sent too
			w.note("read", err, n)
		})
	}},
	{"close while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		wait := w.spawn(func() {
			n, err := c.Read(make([]byte, 8))
			w.note("read", err, n)
		})
		err := c.Close()
		wait()
		w.note("close", err)
	}},
	{"close while a write waits", func(w *world, c Conn, peer stdnet.Conn) {
		fill(w, c)
		wait := w.spawn(func() {
			_, err := c.Write(make([]byte, 1<<20))
			w.note("write", err)
		})
		err := c.Close()
		wait()
		w.note("close", err)
	}},
	{"use after close", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("close", c.Close())
		w.note("close again", c.Close())
		_, err := c.Read(make([]byte, 8))
		w.note("read", err)
		_, err = c.Write(make([]byte, 8))
		w.note("write", err)
		_, err = io.Copy(io.Discard, c)
		w.note("copy", nil, errors.Is(err, ErrClosed))
		w.note("CloseRead", c.(half).CloseRead())
		w.note("CloseWrite", c.(half).CloseWrite())
		w.note("SetDeadline", c.SetDeadline(time.Now()))
		w.note("SetReadDeadline", c.SetReadDeadline(time.Time{}))
		w.note("SetWriteDeadline", c.SetWriteDeadline(past()))
		w.note("SetReadBuffer", c.(half).SetReadBuffer(1<<16))
		w.note("SetWriteBuffer", c.(half).SetWriteBuffer(1<<16))
	}},
	{"SetReadBuffer, SetWriteBuffer", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("SetReadBuffer", c.(half).SetReadBuffer(1<<14))
		w.note("SetWriteBuffer", c.(half).SetWriteBuffer(1<<14))
		w.note("negative", c.(half).SetReadBuffer(-1))
	}},
	{"copy to a writer that fails", func(w *world, c Conn, peer stdnet.Conn) {
		peer.Write([]byte("hello"))
		for _, fail := range []error{io.EOF, io.ErrClosedPipe} {
			n, err := io.Copy(failingWriter{fail}, c)
			w.note("copy", inner(err), n)
			peer.Write([]byte("hello"))
		}
		n, err := io.Copy(shortWriter{}, c)
		w.note("short", inner(err), n)
	}},
}

// inner is what is wrapped in an OpError: a std TCP connection calls all errors
// of a copy, the writer's too, its own.
func inner(err error) error {
	var op *OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

type failingWriter struct{ err error }

func (w failingWriter) Write(p []byte) (int, error) { return 2, w.err }

type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return 1, nil }

// connected makes c, dialled or accepted by the world, and its std peer.
func (w *world) connected(network string, dialled bool) (c Conn, peer stdnet.Conn) {
	if dialled {
		ln, err := stdnet.Listen(network, anyAddr(w.t, network))
		w.must(err)
		defer ln.Close()
		c, err = w.dial(w.ctx, network, ln.Addr().String())
		w.must(err)
		peer, err = ln.Accept()
		w.must(err)
		return c, peer
	}
	ln, err := w.listen(w.ctx, network, anyAddr(w.t, network))
	w.must(err)
	defer ln.Close()
	peer, err = stdnet.Dial(network, ln.Addr().String())
	w.must(err)
	c, err = ln.Accept()
	w.must(err)
	return c, peer
}

func TestConnAsStd(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, dialled := range []bool{true, false} {
			for _, test := range onConn {
				how := map[bool]string{true: "dialled", false: "accepted"}[dialled]
				t.Run(network+"/"+how+"/"+test.name, func(t *testing.T) {
					inBothWorlds(t, func(w *world) {
						c, peer := w.connected(network, dialled)
						defer peer.Close()
						defer c.Close()
						test.do(w, c, peer)
						w.note("network", nil, c.LocalAddr().Network(), c.RemoteAddr().Network())
						w.note("addresses", nil,
							c.LocalAddr().String() == peer.RemoteAddr().String(),
							c.RemoteAddr().String() == peer.LocalAddr().String())
					})
				})
			}
		}
	}
}

// tcpOptions is what both nets' TCP connections can do besides.
type tcpOptions interface {
	SetLinger(int) error
	SetNoDelay(bool) error
	SetKeepAlive(bool) error
	SetKeepAlivePeriod(time.Duration) error
}

var onTCP = []step{
	{"options after close", func(w *world, c Conn, peer stdnet.Conn) {
		o := c.(tcpOptions)
		c.Close()
		w.note("SetNoDelay", o.SetNoDelay(false))
		w.note("SetKeepAlive", o.SetKeepAlive(false))
		w.note("SetKeepAlivePeriod", o.SetKeepAlivePeriod(time.Second))
		w.note("SetLinger", o.SetLinger(0))
	}},
	{"the peer's reset while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		wait := w.spawn(func() {
			n, err := c.Read(make([]byte, 8))
			w.note("read", err, n)
		})
		peer.(*stdnet.TCPConn).SetLinger(0)
		peer.Close()
		wait()
		n, err := c.Read(make([]byte, 8))
		w.note("read again", err, n)
		n, err = c.Write([]byte("x"))
		w.note("write", err, n)
	}},
	{"the peer's reset with data before it", func(w *world, c Conn, peer stdnet.Conn) {
		peer.Write([]byte("hello"))
		p := make([]byte, 8)
		n, err := c.Read(p)
		w.note("read", err, n)
		peer.(*stdnet.TCPConn).SetLinger(0)
		peer.Close()
		n, err = c.Read(p)
		w.note("read", err, n)
		n, err = c.Read(p)
		w.note("read again", err, n)
		w.note("CloseWrite", c.(half).CloseWrite())
	}},
	{"write after the peer's reset", func(w *world, c Conn, peer stdnet.Conn) {
		peer.(*stdnet.TCPConn).SetLinger(0)
		peer.Close()
		var err error
		for until := time.Now().Add(patience); err == nil && time.Now().Before(until); {
			_, err = c.Write([]byte("x"))
		}
		w.note("write", err)
		_, err = c.Write([]byte("x"))
		w.note("write again", err)
	}},
	{"the peer's reset while a write waits", func(w *world, c Conn, peer stdnet.Conn) {
		fill(w, c)
		wait := w.spawn(func() {
			_, err := c.Write(make([]byte, 1<<20))
			w.note("write", err)
		})
		peer.(*stdnet.TCPConn).SetLinger(0)
		peer.Close()
		wait()
	}},
	{"linger 0 resets", func(w *world, c Conn, peer stdnet.Conn) {
		w.note("SetLinger", c.(tcpOptions).SetLinger(0))
		w.note("close", c.Close())
		_, err := peer.Read(make([]byte, 8))
		w.note("the peer's read", err)
	}},
	{"linger sends", func(w *world, c Conn, peer stdnet.Conn) {
		for _, sec := range []int{0, 5, -1} { // the last word counts
			w.note("SetLinger", c.(tcpOptions).SetLinger(sec))
		}
		c.Write([]byte("last words"))
		w.note("close", c.Close())
		got, err := io.ReadAll(peer)
		w.note("the peer's read", err, string(got))
	}},
}

func TestTCPConnAsStd(t *testing.T) {
	for _, dialled := range []bool{true, false} {
		for _, test := range slices.Concat(onTCP, onTCPHere) {
			how := map[bool]string{true: "dialled", false: "accepted"}[dialled]
			t.Run(how+"/"+test.name, func(t *testing.T) {
				inBothWorlds(t, func(w *world) {
					c, peer := w.connected("tcp", dialled)
					defer peer.Close()
					defer c.Close()
					test.do(w, c, peer)
				})
			})
		}
	}
}
