package reactortest

import "golang.org/x/sys/unix"

// checking makes the simulator check its invariants whenever the loop waits.
var checking = false

// check returns the invariant that is broken, or "".
func (sim *simulator) check() string {
	queued := 0
	for i, s := range sim.files {
		if s == nil {
			continue
		}
		if s.fd != firstFD+i {
			return "a socket with a wrong descriptor"
		}
		if s.notified {
			queued++
		}
		if msg := s.check(); msg != "" {
			return msg
		}
	}
	for _, s := range sim.notified {
		if !s.notified {
			return "a socket in the list of notified ones that is not marked"
		}
		if s.fd >= 0 {
			queued--
		}
	}
	if queued != 0 {
		return "a notified socket that is missing in the list, or there twice"
	}
	return ""
}

func (s *socket) check() string {
	if s.typ != unix.SOCK_STREAM || s.state != connected {
		return ""
	}
	if s.in == nil || s.out == nil || s.peer.in != s.out || s.peer.out != s.in {
		return "a connection whose ends differ"
	}
	return s.out.check()
}

func (h *halfConn) check() string {
	switch {
	case len(h.data)+h.flightSize > h.to.largest[0]:
		return "more is in flight than the receive buffer holds"
	case len(h.unsent) > h.from.largest[1]:
		return "more was written than the send buffer holds"
	case h.timer.Active() != (len(h.flight) > 0):
		return "segments in flight without a timer, or a timer without them"
	case len(h.unsent) > 0 && h.window() > 0 && !h.updatesWindow && !h.dead:
		return "unsent data although the window is open"
	case len(h.unsent) > 0 && h.to.isForgotten() && len(h.flight) == 0 && !h.updatesWindow && !h.rstSent && !h.dead && h.from.proc.kernel.up:
		return "a writer that will never learn that its peer is gone"
	}
	flying := 0
	for _, g := range h.flight {
		flying += len(g.data)
	}
	if flying != h.flightSize {
		return "a wrong count of the bytes in flight"
	}
	return ""
}
