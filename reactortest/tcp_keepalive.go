package reactortest

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// probeWindow sends a window probe if the writer waits for room, to learn whether the
// reader is still there. A kernel probes from time to time. Here probeWindow is called
// only when the reader is gone.
func (h *halfConn) probeWindow() {
	if len(h.unsent) > 0 && len(h.flight) == 0 && !h.updatesWindow && !h.dead && h.from.proc.kernel.up {
		h.transmit(segment{kind: segProbe})
	}
}

// peerVanished is called when s's peer can't be reached any more and s was not told.
// A socket with nothing to send finds out by keepalive probes; see tcp(7).
func (s *socket) peerVanished() {
	if s.out != nil && s.family != unix.AF_UNIX {
		s.out.probeWindow()
	}
	if s.state != connected || s.keepaliveRuns || !s.isSet(unix.SOL_SOCKET, unix.SO_KEEPALIVE) {
		return
	}
	s.keepaliveRuns = true
	idle := s.seconds(keepIdle, 7200)
	s.sim().after(idle, func() { s.keepalive(0) })
}

// keepalive sends a keepalive probe after failed ones had no answer.
func (s *socket) keepalive(failed int) {
	to := s.peer.proc.host
	sim := s.sim()
	s.keepaliveRuns = false
	switch {
	case s.state != connected || s.processEnded() || !s.isSet(unix.SOL_SOCKET, unix.SO_KEEPALIVE):
	case len(s.out.flight) > 0: // its retransmissions find out
		s.peerVanished()
	case s.isCutOff() || !to.proc.kernel.up:
		if failed == keepaliveProbes {
			s.fail(syscall.ETIMEDOUT)
			return
		}
		s.keepaliveRuns = true
		sim.after(s.seconds(keepInterval, 75), func() { s.keepalive(failed + 1) })
	case s.peer.isForgotten():
		s.fail(econnreset)
	}
}

// seconds returns a TCP option in seconds, or a default if it is not set.
func (s *socket) seconds(name, otherwise int) time.Duration {
	if v := s.options[option{unix.IPPROTO_TCP, name}]; v > 0 {
		return time.Duration(v) * time.Second
	}
	return time.Duration(otherwise) * time.Second
}
