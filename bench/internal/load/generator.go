//go:build linux

package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Generator loads one server, from the goroutine that made it, with one load:
// call Dial, then Closed or Paced, then Run as often as needed, then Close.
//
// Invariants: a conn's owed ≥ unsent ≥ 0; while unsent > 0 its socket is full,
// and epoll will report when it is writable. Closed: each conn owes between 1
// byte and a burst whenever Run returns without error.
type Generator struct {
	epfd   int
	conns  []conn
	events [1024]unix.EpollEvent

	size  int64 // of a message
	burst int64 // closed load: bytes of a burst; 0 if paced

	origin time.Time     // origin of all times
	period time.Duration // paced load: time between messages
	begun  int64         // paced load: messages begun

	now     int64 // the time last read
	latency Histogram
	late    Histogram
	idle    int64
}

// patience is how long the server may take to answer.
const patience = 10 * time.Second

// patternSize is the size of the messages that check the connections.
const patternSize = 64

// together is how many connections are made before they are checked: fewer than
// a listener's queue holds (4,096 by default, see listen(2)).
const together = 1024

// Dial connects n times to a server on 127.0.0.1, and checks that each connection
// echoes.
func Dial(addr string, n int) (*Generator, error) {
	return dial(addr, n, true)
}

// DialSilent connects n times and sends nothing, except on the last connection
// of each thousand, to make sure that the server has accepted them.
func DialSilent(addr string, n int) (*Generator, error) {
	return dial(addr, n, false)
}

func dial(addr string, n int, check bool) (*Generator, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil || !to.Addr().Is4() {
		return nil, fmt.Errorf("%q is not an IPv4 address and port", addr)
	}
	g := &Generator{origin: time.Now()}
	if g.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	sa := &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	for len(g.conns) < n && err == nil {
		first := len(g.conns)
		if err = g.connect(sa, min(n-first, together)); err != nil {
			break
		}
		if !check {
			first = len(g.conns) - 1
		}
		err = g.check(first, len(g.conns))
	}
	if err == nil {
		err = g.watch()
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Generator) connect(to *unix.SockaddrInet4, n int) error {
	for range n {
		i := len(g.conns)
		fd, err := connect(to, [4]byte{127, 0, 0, byte(1 + i/4096)})
		if err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
		g.conns = append(g.conns, conn{fd: fd})
	}
	return nil
}

// check exchanges a message over the connections from first to end.
func (g *Generator) check(first, end int) error {
	for i := first; i < end; i++ {
		if err := g.conns[i].sendPattern(pattern(i)); err != nil {
			return err
		}
	}
	got := make([]byte, patternSize)
	for i := first; i < end; i++ {
		if err := g.conns[i].readPattern(got); err != nil {
			return err
		}
		if !bytes.Equal(got, pattern(i)) {
			return fmt.Errorf("connection %d did not echo what it was sent", i)
		}
	}
	return nil
}

// Check exchanges one message of 64 bytes over each connection, before a load.
func (g *Generator) Check() error {
	for first := 0; first < len(g.conns); first += together {
		if err := g.check(first, min(len(g.conns), first+together)); err != nil {
			return err
		}
	}
	return nil
}

// pattern returns a message that is unique to connection i.
func pattern(i int) []byte {
	p := make([]byte, patternSize)
	for j := range patternSize / 8 {
		binary.LittleEndian.PutUint64(p[8*j:], uint64(i)*0x9e3779b97f4a7c15+uint64(j))
	}
	return p
}

// watch registers the connections once, edge-triggered, both directions.
func (g *Generator) watch() error {
	for i := range g.conns {
		e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&(1<<32-1), Fd: int32(i)}
		if err := unix.EpollCtl(g.epfd, unix.EPOLL_CTL_ADD, g.conns[i].fd, &e); err != nil {
			return os.NewSyscallError("epoll_ctl", err)
		}
	}
	return nil
}

// Close closes the connections.
func (g *Generator) Close() {
	for _, c := range g.conns {
		unix.Close(c.fd)
	}
	unix.Close(g.epfd)
}

// poll handles what has arrived, without waiting.
func (g *Generator) poll(arrived func(c *conn, i int) error) (handled bool, err error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(g.epfd), uintptr(unsafe.Pointer(&g.events)), uintptr(len(g.events)), 0, 0, 0)
	if errno == unix.EINTR {
		return false, nil
	}
	if errno != 0 {
		return false, os.NewSyscallError("epoll_pwait", errno)
	}
	for i := range g.events[:n] {
		e := &g.events[i]
		c := &g.conns[e.Fd]
		if e.Events&^unix.EPOLLOUT != 0 {
			if err := c.receive(); err != nil {
				return true, err
			}
			if e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
				return true, errClosed
			}
			if err := arrived(c, int(e.Fd)); err != nil {
				return true, err
			}
		}
		if c.unsent > 0 {
			if err := c.send(); err != nil {
				return true, err
			}
		}
	}
	return n > 0, nil
}

func (g *Generator) look() int64 {
	g.now = int64(time.Since(g.origin))
	return g.now
}
