package reactortest

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// A datagram is a message with its sender.
type datagram struct {
	data []byte
	from netip.AddrPort
	path string
}

// maxDatagram is the largest UDP datagram over IPv4, in bytes of data.
const maxDatagram = 65507

func (proc *process) connectUDP(s *socket, a netip.AddrPort) error {
	if a.Addr().IsUnspecified() {
		a = netip.AddrPortFrom(loopbackOf(a.Addr()), a.Port())
	}
	if err := s.autobind(a.Addr()); err != nil {
		return err
	}
	if s.local.Addr().IsUnspecified() {
		s.local = netip.AddrPortFrom(proc.source(a.Addr()), s.local.Port())
	}
	s.remote, s.state = a, connected
	return nil
}

// autobind binds a socket that has no address yet, before its first datagram.
func (s *socket) autobind(to netip.Addr) error {
	if s.local.IsValid() {
		return nil
	}
	err := s.proc.bind(s, netip.AddrPortFrom(s.anyAddr(), 0))
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
		return s.sendUnix(p, path)
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	switch {
	case !to.IsValid():
		return 0, syscall.EDESTADDRREQ
	case to.Addr().Is6() && s.family == unix.AF_INET:
		return 0, syscall.EAFNOSUPPORT
	case to.Addr().Is4() && s.isV6Only():
		return 0, syscall.ENETUNREACH
	case len(p) > maxDatagram:
		return 0, syscall.EMSGSIZE
	}
	if to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(loopbackOf(to.Addr()), to.Port())
	}
	if err := s.autobind(to.Addr()); err != nil {
		return 0, errnoOf(err)
	}
	sim, proc := s.sim(), s.proc
	sim.record(kindWrite, proc, s.id, hashBytes(p), func() string { return fmt.Sprintf("%v: sends %s to %s", s, excerpt(p), s.nameOf(to)) })
	host := proc.host.net.reach(proc.host, to.Addr())
	if host == nil {
		return len(p), 0 // no such host: lost
	}
	from := s.local
	if from.Addr().IsUnspecified() {
		from = netip.AddrPortFrom(proc.source(to.Addr()), from.Port())
	}
	s.transmit(proc.host.net.path(proc.host, host), datagram{data: slices.Clone(p), from: from}, to)
	return len(p), 0
}

// transmit sends a datagram over p, once or twice.
func (s *socket) transmit(p *path, d datagram, to netip.AddrPort) {
	sim := s.sim()
	if p.isLoopback() {
		s.datagramArrives(p, d, to)
		return
	}
	copies := 1
	if happens(sim.faults, p.duplicate) {
		sim.note(s.proc, "fault: %v: a datagram is duplicated", s)
		copies = 2
	}
	for range copies {
		delay := p.delay(sim, len(d.data)+28)
		if happens(sim.faults, p.reorder) {
			sim.note(s.proc, "fault: %v: a datagram is delayed", s)
			delay *= 10
		}
		lost := happens(sim.faults, p.loss)
		sim.after(delay, func() {
			if lost || p.cut || !p.to.proc.kernel.up {
				sim.record(kindLost, s.proc, s.id, 0, func() string { return fmt.Sprintf("%v: a datagram to %s is lost", s, s.nameOf(to)) })
				return
			}
			s.datagramArrives(p, d, to)
		})
	}
}

// datagramArrives hands a datagram to its receiver. If there is none, a connected
// sender gets ECONNREFUSED; see udp(7).
func (s *socket) datagramArrives(p *path, d datagram, to netip.AddrPort) {
	r := p.to.proc.find(unix.SOCK_DGRAM, to, func(r *socket) bool {
		return r.state != connected || r.remote == d.from
	})
	if r == nil || r.processEnded() {
		if s.state == connected && s.remote == to {
			sim := s.sim()
			back := s.proc.host.net.path(p.to, p.from)
			if back.isLoopback() {
				s.fail(syscall.ECONNREFUSED)
				return
			}
			sim.after(back.delay(sim, 56), func() {
				if !back.cut {
					s.fail(syscall.ECONNREFUSED)
				}
			})
		}
		return
	}
	r.enqueue(d)
}

// enqueue adds a datagram to the receive queue, and reports whether there was room.
func (r *socket) enqueue(d datagram) bool {
	sim := r.sim()
	if !r.hasRoomFor(d) {
		sim.note(r.proc, "%v: a datagram is dropped, for want of room", r)
		return false
	}
	sim.record(kindDeliver, r.proc, r.id, uint64(len(d.data)), func() string {
		return fmt.Sprintf("%v: a datagram of %d bytes arrives", r, len(d.data))
	})
	r.received = append(r.received, d)
	r.receivedSize += trueSize(len(d.data))
	r.notify()
	return true
}

// hasRoomFor reports whether there is room for a datagram. In the Unix domain the kernel
// limits their number (net.unix.max_dgram_qlen). For UDP it limits the memory that they
// take, but always takes one into an empty queue; see udp(7).
func (r *socket) hasRoomFor(d datagram) bool {
	if r.family == unix.AF_UNIX {
		return len(r.received) <= 10
	}
	return len(r.received) == 0 || r.receivedSize+trueSize(len(d.data)) <= r.receiveRoom()
}

// receiveRoom returns the size of the receive queue in bytes of kernel memory: by
// default, net.core.rmem_default.
func (r *socket) receiveRoom() int {
	if r.options[option{unix.SOL_SOCKET, unix.SO_RCVBUF}] == 0 && r.buffers == defaultBuffers {
		return 212992
	}
	return 2 * r.buffer(unix.SO_RCVBUF)
}

// trueSize returns the memory that Linux charges for a datagram, SKB_TRUESIZE: a record
// and a buffer of a fixed size for data and headers. Larger datagrams are kept in pages.
func trueSize(n int) int {
	const record, extra, inPages = 256, 379, 832
	for _, size := range []int{576, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10} {
		if n+extra <= size {
			return size + record
		}
	}
	return n + inPages
}

// receive copies the first datagram to p, cut to p's length.
func (s *socket) receive(p []byte, peek bool) (n int, d datagram, errno syscall.Errno) {
	switch {
	case s.err != 0:
		return 0, d, s.pending()
	case len(s.received) == 0 && s.readShut:
		return 0, d, 0
	case len(s.received) == 0:
		return 0, d, syscall.EAGAIN
	}
	d = s.received[0]
	n = copy(p, d.data)
	if !peek {
		s.received = s.received[1:]
		s.receivedSize -= trueSize(len(d.data))
		for _, o := range s.blocked {
			o.notify()
		}
		s.blocked = nil
		sim := s.sim()
		sim.record(kindRead, s.proc, s.id, hashBytes(p[:n]), func() string { return fmt.Sprintf("%v: receives %s", s, excerpt(p[:n])) })
	}
	return n, d, 0
}
