package reactortest

import (
	"golang.org/x/sys/unix"
)

// isForgotten reports whether the kernel keeps nothing of s's end of its connection. It
// answers any segment for it with a reset: CLOSED in RFC 9293, 3.10.7.1.
func (s *socket) isForgotten() bool {
	switch {
	case !s.proc.kernel.up || s.state == disconnected:
		return true
	case s.state == closed:
		return s.out == nil || s.out.dead || s.expired()
	}
	return false
}

// answersRST reports whether the receiver answers a segment with a reset. It does so
// too when the segment has data and its socket is closed.
func (h *halfConn) answersRST(g segment) bool {
	return h.to.family != unix.AF_UNIX && (h.to.isForgotten() || h.to.state == closed && g.kind == segData)
}

// sendRST answers the first segment in flight with a reset. If the reset is lost, the
// segment is sent again.
func (h *halfConn) sendRST() {
	if s := h.to; s.state == closed && s.out != nil {
		s.out.unsent, s.out.finPending = nil, false
		s.state = disconnected
		s.proc.unbind(s)
	}
	if h.path.isLoopback() {
		h.from.fail(econnreset)
		return
	}
	sim := h.sim()
	h.rstReturns = true
	sim.events.Add(&h.timer, sim.time()+int64(h.reverse().delay(sim, 40)))
}

// handleRST is called when the reset that sendRST has sent should arrive.
func (h *halfConn) handleRST() {
	h.rstReturns = false
	switch {
	case h.reverse().cut:
		h.retransmit()
	case !h.from.proc.kernel.up:
		h.kill()
	default:
		h.from.fail(econnreset)
		h.kill() // even if from had failed before
	}
}

// reverse returns the path from the reader to the writer.
func (h *halfConn) reverse() *path {
	return h.from.proc.host.net.path(h.to.proc.host, h.from.proc.host)
}

// abort closes s and resets its connection. If the reset is lost, the peer learns of it
// when it sends something or probes.
func (s *socket) abort() {
	s.state = closed
	s.out.kill()
	s.releasePort()
	peer, p := s.peer, s.out.path
	if p.isLoopback() {
		peer.fail(econnreset)
		return
	}
	sim := s.sim()
	s.in.rstSent = true
	sim.after(p.delay(sim, 40), func() {
		s.in.rstSent = false
		switch {
		case !peer.proc.kernel.up:
		case p.cut:
			peer.peerVanished()
		default:
			peer.fail(econnreset)
		}
	})
}
