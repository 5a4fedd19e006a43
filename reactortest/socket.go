package reactortest

import (
	"fmt"
	"math"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
)

// firstFD is the first simulated file descriptor, far above any real one, so that
// a real call with it fails (EBADF).
const firstFD = 1 << 30

// A socket is one socket of a simulated host; one end of a connection lives on
// after its descriptor is closed, until all is sent.
//
// Invariants: fd is -1 unless the world's files have the socket in that place. A
// connected stream has both pipes, in and out, and its peer's are the same ones
// the other way round.
type socket struct {
	home   *boot
	id     uint64 // no other socket of the run has it
	fd     int
	family int
	typ    int
	state  state
	polled bool
	queued bool // in the world's news
	token  uint64

	local   netip.AddrPort // unmapped; invalid until bound
	auto    bool           // its port was chosen when it connected
	remote  netip.AddrPort // where it is connected to
	path    string         // its name in the Unix domain
	far     string         // its peer's
	err     syscall.Errno  // pending; see SO_ERROR in socket(7)
	options map[option]int
	linger0 bool
	buffers int    // the size of those that no option sets
	most    [2]int // how large the buffers for reading and writing were at most

	// A listener's.
	backlog int
	queue   []*socket // connections to be accepted
	halfway int       // connections that are being made

	// A stream's.
	peer    *socket
	in, out *pipe
	caller  *socket // the listener, until the connection can be accepted
	called  int64   // when it began to connect
	rung    int     // how often it has tried again
	first   bool    // it has ended its side before it knew of the peer's end
	until   int64   // when a closed connection's port is free; 0: not known yet
	deaf    bool    // shut down for reading
	waiting bool    // a write found no room; tell when there is
	probing bool

	// A datagram socket's.
	mail     []datagram
	mailSize int
	blocked  []*socket // writers in the Unix domain that found no room
}

type state uint8

const (
	fresh state = iota
	listening
	connecting
	connected
	dead // was connected, or failed to
	closed
)

type option struct{ level, name int }

const econnreset = syscall.ECONNRESET

func newSocket(b *boot, family, typ int) *socket {
	w := b.world()
	w.sockID++
	s := &socket{home: b, id: w.sockID, fd: -1, family: family, typ: typ, buffers: b.host.buffers()}
	s.grown()
	return s
}

func (s *socket) world() *world { return s.home.world() }

// gone says whether the socket's host has crashed, or its program was ended.
func (s *socket) gone() bool { return s.home.over }

// tell gives news of s to the loop, as epoll does: what it is ready for now.
func (s *socket) tell() {
	if s.polled && !s.queued {
		s.queued = true
		w := s.world()
		w.news = append(w.news, s)
	}
}

// readiness is what s is ready for, as epoll(7) has it.
func (s *socket) readiness() eddy.Readiness {
	if s.gone() {
		return eddy.Readable | eddy.Writable | eddy.Failed | eddy.Hangup
	}
	var r eddy.Readiness
	if s.err != 0 {
		r |= eddy.Failed | eddy.Readable | eddy.Writable
	}
	switch {
	case s.state == listening:
		if len(s.queue) > 0 {
			r |= eddy.Readable
		}
	case s.state == connecting:
	case s.typ == unix.SOCK_DGRAM:
		r |= eddy.Writable
		if len(s.mail) > 0 {
			r |= eddy.Readable
		}
	case s.state == connected:
		r |= s.streamReadiness()
	default:
		r |= eddy.Writable | eddy.Hangup
	}
	if r&eddy.Hangup != 0 {
		r |= eddy.Readable | eddy.Writable
	}
	return r
}

func (s *socket) streamReadiness() (r eddy.Readiness) {
	if s.in.len() > 0 {
		r |= eddy.Readable
	}
	over := s.in.ended || s.deaf
	if over {
		r |= eddy.Readable | eddy.ReadClosed
	}
	if s.out.finished || s.out.roomy() {
		r |= eddy.Writable
	}
	if over && s.out.finished {
		r |= eddy.Hangup
	}
	return r
}

// close is what close(2) of the last descriptor does.
func (s *socket) close() {
	if s.state == closed {
		return
	}
	was := s.state
	s.state = closed
	if was == connected && s.typ == unix.SOCK_STREAM {
		s.hangUp()
		s.settle()
		return
	}
	s.home.unbind(s)
	for _, c := range s.queue {
		if c.family == unix.AF_UNIX {
			c.abandon()
		} else {
			c.abort() // see inet_csk_listen_stop in Linux
		}
	}
	s.queue = nil
}

// abandon closes a socket that has no descriptor, or whose program has ended.
func (s *socket) abandon() { s.close() }

// vanish is what a crash leaves of a socket.
func (s *socket) vanish() {
	for _, c := range s.queue {
		c.vanish()
	}
	if s.state == connected && s.typ == unix.SOCK_STREAM {
		s.out.unsent = nil
		s.peer.lonely()
	}
	s.state = closed
}

// take removes the first connection from a listener's queue.
func (s *socket) take() *socket {
	c := s.queue[0]
	s.queue = s.queue[1:]
	return c
}

// fail makes err the socket's pending error, and ends what it was connected to.
func (s *socket) fail(err syscall.Errno) {
	if l := s.caller; l != nil {
		l.halfway--
		s.caller = nil
	}
	switch {
	case s.state == closed && s.out != nil:
		s.out.kill()
		s.settle()
		if err != econnreset {
			s.peer.lonely()
		}
		return
	case s.state != connected && s.state != connecting:
		return
	case s.typ == unix.SOCK_STREAM:
		err = s.cut(err)
	}
	s.err = err
	s.tell()
	if err == syscall.ETIMEDOUT && s.peer != nil && s.typ == unix.SOCK_STREAM {
		s.peer.lonely() // it does not know
	}
}

// cut ends a stream that has failed, and returns the error that its user gets.
func (s *socket) cut(err syscall.Errno) syscall.Errno {
	if s.state == connected {
		if s.in.ended && err == econnreset && s.family != unix.AF_UNIX {
			err = syscall.EPIPE // see tcp_reset in Linux, on CLOSE_WAIT
		}
		s.in.ended = true
		s.out.kill()
	}
	s.world().note(s.home, "%v fails: %v", s, err)
	s.state = dead
	return err
}

// pending returns the socket's error and clears it.
func (s *socket) pending() syscall.Errno {
	err := s.err
	s.err = 0
	return err
}

func (b *boot) SetInt(fd, level, name, value int) error {
	s, err := b.socket(fd)
	if err != nil {
		return err
	}
	if s.options == nil {
		s.options = make(map[option]int)
	}
	if level == unix.SOL_SOCKET && (name == unix.SO_RCVBUF || name == unix.SO_SNDBUF) {
		value = 2 * max(1024, value) // for the kernel's own use as well; see socket(7)
	}
	s.options[option{level, name}] = value
	if s.grown(); s.in != nil {
		s.in.open()
		s.out.pump()
	}
	return nil
}

func (b *boot) GetInt(fd, level, name int) (int, error) {
	s, err := b.socket(fd)
	if err != nil {
		return 0, err
	}
	if level == unix.SOL_SOCKET {
		switch name {
		case unix.SO_ERROR:
			return int(s.pending()), nil
		case unix.SO_TYPE:
			return s.typ, nil
		case unix.SO_RCVBUF, unix.SO_SNDBUF:
			return 2 * s.buffer(name), nil
		}
	}
	return s.options[option{level, name}], nil
}

// buffer is the size of one of the socket's buffers, in bytes of data.
func (s *socket) buffer(name int) int {
	if v := s.options[option{unix.SOL_SOCKET, name}]; v > 0 {
		return v / 2
	}
	return s.buffers
}

// grown keeps in mind how large the buffers are now.
func (s *socket) grown() {
	s.most[0] = max(s.most[0], s.buffer(unix.SO_RCVBUF))
	s.most[1] = max(s.most[1], s.buffer(unix.SO_SNDBUF))
}

func (s *socket) isSet(level, name int) bool { return s.options[option{level, name}] != 0 }

func (b *boot) SetLinger(fd int, l *unix.Linger) error {
	s, err := b.socket(fd)
	if err == nil {
		s.linger0 = l.Onoff != 0 && l.Linger == 0
	}
	return err
}

// Addresses.

// addrPort is the address in sa, as a socket of s's family may have it.
func (s *socket) addrPort(sa unix.Sockaddr) (netip.AddrPort, error) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		if sa.Port < 0 || sa.Port > math.MaxUint16 {
			return netip.AddrPort{}, syscall.EINVAL
		}
		if s.family == unix.AF_INET {
			return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
		}
	case *unix.SockaddrInet6:
		if sa.Port < 0 || sa.Port > math.MaxUint16 {
			return netip.AddrPort{}, syscall.EINVAL
		}
		if s.family == unix.AF_INET6 {
			return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), nil
		}
	}
	return netip.AddrPort{}, syscall.EAFNOSUPPORT
}

// sockaddr is an address as a socket of s's family tells it.
func (s *socket) sockaddr(a netip.AddrPort) unix.Sockaddr {
	switch {
	case s.family == unix.AF_INET && a.IsValid():
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	case s.family == unix.AF_INET:
		return &unix.SockaddrInet4{}
	case a.IsValid():
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet6{}
}

func (s *socket) localAddr() unix.Sockaddr {
	if s.family == unix.AF_UNIX {
		return pathAddr(s.path)
	}
	return s.sockaddr(s.local)
}

func (s *socket) remoteAddr() unix.Sockaddr {
	if s.family == unix.AF_UNIX {
		return pathAddr(s.far)
	}
	return s.sockaddr(s.remote)
}

// pathAddr is a name in the Unix domain; that of a socket without one reads "@",
// as x/sys has it on Linux.
func pathAddr(path string) unix.Sockaddr {
	if path == "" {
		path = "@"
	}
	return &unix.SockaddrUnix{Name: path}
}

// only says whether an IPv6 socket takes no IPv4.
func (s *socket) only() bool {
	return s.family == unix.AF_INET6 && s.isSet(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
}

// anyAddr is the address that stands for all of the host's, of s's family.
func (s *socket) anyAddr() netip.Addr {
	if s.family == unix.AF_INET {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// matches says whether a socket bound to an address takes what comes for ip: 3 for
// its own address, 2 and 1 for any.
func (s *socket) matches(ip netip.Addr) int {
	own := s.local.Addr()
	switch {
	case own == ip:
		return 3
	case !own.IsUnspecified() || own.Is4() && !ip.Is4():
		return 0
	case own.Is4() == ip.Is4():
		return 2
	case s.only():
		return 0
	}
	return 1
}

// overlaps says whether a socket bound to ip and another would both be meant by
// some address.
func (s *socket) overlaps(ip netip.Addr, o *socket) bool {
	own := o.local.Addr()
	switch {
	case ip.Is4() != own.Is4():
		return ip.Is6() && ip.IsUnspecified() && !s.only() || own.Is6() && own.IsUnspecified() && !o.only()
	default:
		return ip == own || ip.IsUnspecified() || own.IsUnspecified()
	}
}

// conflicts says whether s can't be bound to ip because of o; see SO_REUSEADDR
// and SO_REUSEPORT in socket(7).
func (s *socket) conflicts(ip netip.Addr, o *socket) bool {
	both := func(name int) bool { return s.isSet(unix.SOL_SOCKET, name) && o.isSet(unix.SOL_SOCKET, name) }
	if both(unix.SO_REUSEADDR) && (o.state != listening || s.typ == unix.SOCK_DGRAM) || both(unix.SO_REUSEPORT) {
		return false
	}
	return s.overlaps(ip, o)
}

// String says what the socket is, for traces and deadlocks.
func (s *socket) String() string {
	kind := map[int]string{unix.SOCK_STREAM: "tcp", unix.SOCK_DGRAM: "udp"}[s.typ]
	local, remote := s.nameOf(s.local), s.nameOf(s.remote)
	if s.family == unix.AF_UNIX {
		kind, local, remote = "unix", s.path, s.far
	}
	switch s.state {
	case listening:
		return fmt.Sprintf("%s listener %s", kind, local)
	case fresh:
		return fmt.Sprintf("%s socket %s", kind, local)
	}
	return fmt.Sprintf("%s %s-%s", kind, local, remote)
}

// nameOf is an address with its host's name.
func (s *socket) nameOf(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	if h := s.home.host.net.byAddr[a.Addr()]; h != nil {
		return fmt.Sprintf("%s:%d", h.name, a.Port())
	}
	return a.String()
}
