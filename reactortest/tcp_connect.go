package reactortest

import (
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connectTCP starts the handshake of a connection to s.remote.
func (proc *process) connectTCP(s *socket) error {
	sim := proc.sim()
	to := proc.host.net.reach(proc.host, s.remote.Addr())
	if to == nil {
		sim.after(noRouteAfter, func() { s.fail(syscall.EHOSTUNREACH) })
		return syscall.EINPROGRESS
	}
	path := proc.host.net.path(proc.host, to)
	if path.isLoopback() {
		if l := to.proc.listener(s.remote); l == nil && s.remote == s.local {
			s.connectSelf()
			return nil
		} else if l == nil {
			s.state = disconnected
			return syscall.ECONNREFUSED
		} else if l.hasRoom() {
			l.handleSYN(s)
			return nil
		}
	}
	s.sendSYN(path, 0)
	return syscall.EINPROGRESS
}

// connectSelf connects a socket that connects to its own address to itself: a
// simultaneous open, RFC 9293, 3.5.
func (s *socket) connectSelf() {
	s.peer, s.state = s, connected
	s.out = newHalfConn(s, s)
	s.in = s.out
	s.notify()
}

// sendSYN sends a SYN over p, as the nth retransmission.
func (s *socket) sendSYN(p *path, n int) {
	sim := s.sim()
	s.retriedSYNs = n
	sim.after(p.delay(sim, 40), func() {
		if s.state != connecting || s.processEnded() {
			return
		}
		proc := p.to.proc
		if p.cut || !proc.kernel.up || happens(sim.faults, p.loss) {
			sim.note(s.proc, "%v: lost on the way; again in %v", s, synTimeout(n))
			s.retransmitSYN(p)
			return
		}
		switch l := proc.listener(s.remote); {
		case l == nil:
			s.synRefused(s.proc.host.net.path(p.to, p.from))
		case !l.hasRoom():
			s.retransmitSYN(p)
		default:
			l.handleSYN(s)
		}
	})
}

// retransmitSYN sends the next SYN once the last one has timed out.
func (s *socket) retransmitSYN(p *path) {
	s.sim().after(synTimeout(s.retriedSYNs), func() {
		switch {
		case s.state != connecting || s.processEnded():
		case s.retriedSYNs == synRetries:
			s.fail(syscall.ETIMEDOUT)
		default:
			s.sendSYN(p, s.retriedSYNs+1)
		}
	})
}

// synTimeout returns how long the nth retransmission of a SYN waits for its answer.
func synTimeout(n int) time.Duration { return time.Second << max(0, n-synLinearTimeouts+1) }

// synACKLost is called when the SYN-ACK for s is lost and will not be sent again.
func (s *socket) synACKLost() {
	if s.state == connecting && !s.processEnded() {
		p := s.out.path
		s.peer, s.in, s.out = nil, nil, nil
		s.retransmitSYN(p)
	}
}

// synRefused fails s when the reset that answers its SYN arrives.
func (s *socket) synRefused(back *path) {
	sim := s.sim()
	sim.after(back.delay(sim, 40), func() {
		if s.state == connecting && !back.cut {
			s.fail(syscall.ECONNREFUSED)
		}
	})
}

// listener returns the socket that listens at an address, or nil.
func (proc *process) listener(a netip.AddrPort) *socket {
	return proc.find(unix.SOCK_STREAM, a, func(s *socket) bool { return s.state == listening && !s.processEnded() })
}

// hasRoom reports whether a listener takes another connection. A backlog of n holds
// n+1; see sk_acceptq_is_full in Linux.
func (s *socket) hasRoom() bool { return len(s.queue)+s.halfOpen <= s.backlog }

// acceptFirst removes the first connection from a listener's queue.
func (s *socket) acceptFirst() *socket {
	c := s.queue[0]
	s.queue = s.queue[1:]
	return c
}

// handleSYN makes the listener's end of a connection to c, and sends the SYN-ACK.
func (l *socket) handleSYN(c *socket) {
	s := newSocket(l.proc, l.family, unix.SOCK_STREAM)
	s.local, s.remote = c.remote, c.local
	s.path, s.peerPath = l.path, c.path
	s.state = connected
	for o, v := range l.options { // Linux's accepted sockets are copies
		if s.options == nil {
			s.options = make(map[option]int)
		}
		s.options[o] = v
	}
	s.noteBuffers()
	s.peer, c.peer = c, s
	s.out, c.out = newHalfConn(s, c), newHalfConn(c, s)
	s.in, c.in = c.out, s.out
	s.listener = l
	l.halfOpen++
	s.out.transmit(segment{kind: segSYNACK})
}

// handleSYNACK completes the client's side of the handshake and sends the ACK.
func (s *socket) handleSYNACK() {
	if s.state != connecting {
		s.abort()
		return
	}
	s.state = connected
	s.notify()
	s.out.transmit(segment{kind: segACK})
}

// handleACK completes the listener's side of the handshake: s can be accepted.
func (s *socket) handleACK() {
	l := s.listener
	s.listener = nil
	l.halfOpen--
	if l.state != listening {
		s.abort()
		return
	}
	l.queue = append(l.queue, s)
	l.notify()
}
