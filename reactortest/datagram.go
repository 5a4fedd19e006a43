package reactortest

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
)

// A datagram waits to be received.
type datagram struct {
	data []byte
	from netip.AddrPort
	path string
}

// maxDatagram is how much UDP carries over IPv4.
const maxDatagram = 65507

func (b *boot) connectDatagrams(s *socket, a netip.AddrPort) error {
	if a.Addr().IsUnspecified() {
		a = netip.AddrPortFrom(loopbackOf(a.Addr()), a.Port())
	}
	if err := s.sendable(a.Addr()); err != nil {
		return err
	}
	if s.local.Addr().IsUnspecified() {
		s.local = netip.AddrPortFrom(b.source(a.Addr()), s.local.Port())
	}
	s.remote, s.state = a, connected
	return nil
}

// sendable binds a socket that is not, for its first datagram.
func (s *socket) sendable(to netip.Addr) error {
	if s.local.IsValid() {
		return nil
	}
	err := s.home.bind(s, netip.AddrPortFrom(s.anyAddr(), 0))
	if err == syscall.EADDRINUSE {
		err = syscall.EAGAIN // see inet_autobind in Linux
	}
	return err
}

func (s *socket) send(p []byte, to netip.AddrPort, path string) (int, syscall.Errno) {
	if s.err != 0 {
		return 0, s.pending()
	}
	if s.family == unix.AF_UNIX {
		return s.sendPath(p, path)
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	switch {
	case !to.IsValid():
		return 0, syscall.EDESTADDRREQ
	case to.Addr().Is6() && s.family == unix.AF_INET:
		return 0, syscall.EAFNOSUPPORT
	case to.Addr().Is4() && s.only():
		return 0, syscall.ENETUNREACH
	case len(p) > maxDatagram:
		return 0, syscall.EMSGSIZE
	}
	if to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(loopbackOf(to.Addr()), to.Port())
	}
	if err := s.sendable(to.Addr()); err != nil {
		return 0, errnoOf(err)
	}
	w, b := s.world(), s.home
	w.happened(kindWrite, b, s.id, hashBytes(p), func() string { return fmt.Sprintf("%v: sends %s to %s", s, excerpt(p), s.nameOf(to)) })
	host := b.host.net.reach(b.host, to.Addr())
	if host == nil {
		return len(p), 0 // lost behind a router
	}
	from := s.local
	if from.Addr().IsUnspecified() {
		from = netip.AddrPortFrom(b.source(to.Addr()), from.Port())
	}
	s.post(b.host.net.path(b.host, host), datagram{data: slices.Clone(p), from: from}, to)
	return len(p), 0
}

// post sends a datagram on its way, once or twice.
func (s *socket) post(p *path, d datagram, to netip.AddrPort) {
	w := s.world()
	if p.direct() {
		s.arrived(p, d, to)
		return
	}
	copies := 1
	if happens(w.dice, p.duplicate) {
		w.note(s.home, "fault: %v: a datagram is duplicated", s)
		copies = 2
	}
	for range copies {
		delay := p.delayOf(w, len(d.data)+28)
		if happens(w.dice, p.delay) {
			w.note(s.home, "fault: %v: a datagram is delayed", s)
			delay *= 10
		}
		lost := happens(w.dice, p.loss)
		w.after(delay, func() {
			if lost || p.cut || !p.to.boot.machine.up {
				w.happened(kindLost, s.home, s.id, 0, func() string { return fmt.Sprintf("%v: a datagram to %s is lost", s, s.nameOf(to)) })
				return
			}
			s.arrived(p, d, to)
		})
	}
}

// arrived gives a datagram to its receiver. Where there is none, the sender is
// told, if it is connected; see udp(7).
func (s *socket) arrived(p *path, d datagram, to netip.AddrPort) {
	r := p.to.boot.find(unix.SOCK_DGRAM, to, func(r *socket) bool {
		return r.state != connected || r.remote == d.from
	})
	if r == nil || r.gone() {
		if s.state == connected && s.remote == to {
			w := s.world()
			back := s.home.host.net.path(p.to, p.from)
			if back.direct() {
				s.fail(syscall.ECONNREFUSED)
				return
			}
			w.after(back.delayOf(w, 56), func() {
				if !back.cut {
					s.fail(syscall.ECONNREFUSED)
				}
			})
		}
		return
	}
	r.put(d)
}

// put adds a datagram to the socket's queue, if there is room.
func (r *socket) put(d datagram) bool {
	w := r.world()
	if !r.takes(d) {
		w.note(r.home, "%v: a datagram is dropped, for want of room", r)
		return false
	}
	w.happened(kindDeliver, r.home, r.id, uint64(len(d.data)), func() string {
		return fmt.Sprintf("%v: a datagram of %d bytes arrives", r, len(d.data))
	})
	r.mail = append(r.mail, d)
	r.mailSize += trueSize(len(d.data))
	r.tell()
	return true
}

// takes reports whether there is room for a datagram. In the Unix domain the kernel
// counts them (net.unix.max_dgram_qlen); elsewhere it charges what they cost itself,
// but takes one into an empty queue in any case; see udp(7).
func (r *socket) takes(d datagram) bool {
	if r.family == unix.AF_UNIX {
		return len(r.mail) <= 10
	}
	return len(r.mail) == 0 || r.mailSize+trueSize(len(d.data)) <= r.mailRoom()
}

// mailRoom is the size of a socket's buffer for datagrams, in bytes of the kernel's: by
// default, net.core.rmem_default.
func (r *socket) mailRoom() int {
	if r.options[option{unix.SOL_SOCKET, unix.SO_RCVBUF}] == 0 && r.buffers == defaultBuffers {
		return 212992
	}
	return 2 * r.buffer(unix.SO_RCVBUF)
}

// trueSize is what a datagram costs Linux, SKB_TRUESIZE: a record, and a buffer of one
// of a few sizes for the data, the headers and what else is kept with them. Those
// that no such buffer holds are kept in pages.
func trueSize(n int) int {
	const record, extra, inPages = 256, 379, 832
	for _, size := range []int{576, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10} {
		if n+extra <= size {
			return size + record
		}
	}
	return n + inPages
}

// receive takes the first datagram, as much of it as p has room for.
func (s *socket) receive(p []byte, peek bool) (n int, d datagram, errno syscall.Errno) {
	switch {
	case s.err != 0:
		return 0, d, s.pending()
	case len(s.mail) == 0 && s.deaf:
		return 0, d, 0
	case len(s.mail) == 0:
		return 0, d, syscall.EAGAIN
	}
	d = s.mail[0]
	n = copy(p, d.data)
	if !peek {
		s.mail = s.mail[1:]
		s.mailSize -= trueSize(len(d.data))
		for _, o := range s.blocked {
			o.tell()
		}
		s.blocked = nil
		w := s.world()
		w.happened(kindRead, s.home, s.id, hashBytes(p[:n]), func() string { return fmt.Sprintf("%v: receives %s", s, excerpt(p[:n])) })
	}
	return n, d, 0
}

func (b *boot) Receive(fd int, ms []eddy.Message, flags int) (int, syscall.Errno) {
	s, err := b.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	peek := flags&unix.MSG_PEEK != 0
	for i := range ms {
		if errno := s.receiveMessage(&ms[i], peek); errno != 0 || s.typ == unix.SOCK_STREAM {
			if i > 0 && errno != 0 {
				return i, 0
			}
			return min(i+1, len(ms)) * boolInt(errno == 0), errno
		}
	}
	return len(ms), 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *socket) receiveMessage(m *eddy.Message, peek bool) (errno syscall.Errno) {
	m.NControl, m.Flags, m.Addr, m.Path = 0, 0, netip.AddrPort{}, ""
	if s.typ == unix.SOCK_STREAM {
		m.N, errno = s.read(m.Data, peek)
		return errno
	}
	var d datagram
	m.N, d, errno = s.receive(m.Data, peek)
	if errno != 0 {
		return errno
	}
	if m.N < len(d.data) {
		m.Flags |= unix.MSG_TRUNC
	}
	m.Path = d.path
	if m.Addr = d.from; s.family == unix.AF_INET6 && d.from.Addr().Is4() {
		m.Addr = netip.AddrPortFrom(netip.AddrFrom16(d.from.Addr().As16()), d.from.Port())
	}
	return 0
}

func (b *boot) Send(fd int, ms []eddy.Message, _ int) (int, syscall.Errno) {
	s, err := b.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	for i := range ms {
		m := &ms[i]
		var errno syscall.Errno
		switch {
		case len(m.Control) > 0:
			errno = syscall.EOPNOTSUPP
		case s.typ == unix.SOCK_STREAM:
			m.N, errno = s.write(m.Data)
		default:
			m.N, errno = s.sendMessage(m)
		}
		if errno != 0 {
			if i > 0 {
				return i, 0
			}
			return 0, errno
		}
	}
	return len(ms), 0
}

func (s *socket) sendMessage(m *eddy.Message) (int, syscall.Errno) {
	to, path := m.Addr, m.Path
	if !to.IsValid() && path == "" {
		to, path = s.remote, s.far
	}
	return s.send(m.Data, to, path)
}
