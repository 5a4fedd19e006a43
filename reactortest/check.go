package reactortest

import "golang.org/x/sys/unix"

// checking makes the world look at its invariants whenever the loop waits.
var checking = false

// check returns which invariant is broken, or "".
func (w *world) check() string {
	queued := 0
	for i, s := range w.files {
		if s == nil {
			continue
		}
		if s.fd != firstFD+i {
			return "a socket that does not know its place"
		}
		if s.queued {
			queued++
		}
		if msg := s.check(); msg != "" {
			return msg
		}
	}
	for _, s := range w.news {
		if !s.queued {
			return "news of a socket that does not know of it"
		}
		if s.fd >= 0 {
			queued--
		}
	}
	if queued != 0 {
		return "news that was lost or doubled"
	}
	return ""
}

func (s *socket) check() string {
	if s.typ != unix.SOCK_STREAM || s.state != connected {
		return ""
	}
	if s.in == nil || s.out == nil || s.peer.in != s.out || s.peer.out != s.in {
		return "a connection whose ends do not know each other"
	}
	return s.out.check()
}

func (p *pipe) check() string {
	switch {
	case len(p.data)+p.flying > p.to.most[0]:
		return "more has departed than there is room for"
	case len(p.unsent) > p.from.most[1]:
		return "more was written than there is room for"
	case p.timer.Active() != (len(p.flight) > 0):
		return "something in flight that will not arrive, or a timer for nothing"
	case len(p.unsent) > 0 && p.window() > 0 && !p.opening && !p.dead:
		return "something unsent that could depart"
	case len(p.unsent) > 0 && p.to.forgotten() && len(p.flight) == 0 && !p.opening && !p.aborted && !p.dead && p.from.home.machine.up:
		return "a writer that will never know that nobody reads"
	}
	flying := 0
	for _, g := range p.flight {
		flying += len(g.data)
	}
	if flying != p.flying {
		return "miscounted what is in flight"
	}
	return ""
}
