package reactortest

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/timerwheel"
)

// A halfConn is one direction of a connection.
//
// unsent is the writer's send buffer, flight the segments under way, in order, and data
// the reader's receive buffer. A segment is sent only if data has room for it.
//
// Invariants:
//   - len(data)+flightSize <= the largest buffer that the reader has had.
//   - len(unsent) <= the largest buffer that the writer has had.
//   - timer is active exactly while a segment is in flight.
//   - unsent is empty if the window is open, unless the writer's host is down.
//   - If unsent is not empty and the reader is forgotten, a segment or a reset is under
//     way, by which the writer learns of it.
type halfConn struct {
	from, to      *socket
	path          *path
	unsent        []byte
	finPending    bool // a FIN follows unsent
	writeShut     bool // no more can be written
	flight        []segment
	flightSize    int // bytes of data in flight
	data          []byte
	eof           bool  // the FIN has arrived, or the reader has failed
	finArrived    int64 // when the FIN arrived; 0: not yet
	dead          bool
	rstReturns    bool // a reset for the first segment in flight is under way to the writer
	rstSent       bool // a reset of an abort is under way to the writer
	updatesWindow bool // a window update is under way to the writer
	timer         timerwheel.Timer[func()]
	rto           time.Duration
	lostSince     int64 // when the first segment in flight was first lost
}

// A segment is a packet of a connection.
type segment struct {
	kind    segmentKind
	data    []byte
	arrives int64 // not before those ahead of it
}

type segmentKind uint8

const (
	segData   segmentKind = iota
	segSYNACK             // completes the client's handshake
	segACK                // completes the listener's handshake
	segFIN
	segProbe // a window probe
)

func newHalfConn(from, to *socket) *halfConn {
	h := &halfConn{from: from, to: to, path: from.proc.host.net.path(from.proc.host, to.proc.host)}
	h.timer.Value = h.arrive
	return h
}

func (h *halfConn) sim() *simulator { return h.from.sim() }

func (h *halfConn) len() int { return len(h.data) }

// room returns how much can be written.
func (h *halfConn) room() int { return max(0, h.from.buffer(unix.SO_SNDBUF)-len(h.unsent)) }

// isWritable reports whether the writer is reported as writable: if a third of its
// buffer is free, as in Linux's sk_stream_is_writeable.
func (h *halfConn) isWritable() bool { return 3*h.room() >= h.from.buffer(unix.SO_SNDBUF) }

// window returns how much may be sent.
func (h *halfConn) window() int { return h.to.buffer(unix.SO_RCVBUF) - len(h.data) - h.flightSize }

// output sends what the window allows.
func (h *halfConn) output() {
	if h.dead || !h.from.proc.kernel.up {
		return
	}
	for len(h.unsent) > 0 && h.window() > 0 {
		n := min(len(h.unsent), h.window(), maxSegment)
		data := slices.Clone(h.unsent[:n])
		h.unsent = h.unsent[n:]
		h.transmit(segment{kind: segData, data: data}) // which may kill h
	}
	if len(h.unsent) == 0 && h.finPending && !h.dead {
		h.finPending = false
		h.transmit(segment{kind: segFIN})
	}
	if s := h.from; s.noSpace && h.isWritable() {
		s.noSpace = false
		s.notify()
	}
}

// transmit sends a segment. On loopback it arrives at once.
func (h *halfConn) transmit(g segment) {
	h.flightSize += len(g.data)
	if h.path.isLoopback() && len(h.flight) == 0 {
		if h.answersRST(g) {
			h.sendRST()
		} else {
			h.deliver(g)
		}
		return
	}
	g.arrives = h.sim().time() + int64(h.path.delay(h.sim(), len(g.data)+40))
	h.flight = append(h.flight, g)
	if len(h.flight) == 1 {
		h.sim().events.Add(&h.timer, g.arrives)
	}
}

// arrive is called when the first segment in flight should arrive.
func (h *halfConn) arrive() {
	sim := h.sim()
	if len(h.flight) == 0 || h.dead {
		return
	}
	switch {
	case h.rstReturns:
		h.handleRST()
		return
	case h.path.cut || !h.to.proc.host.proc.kernel.up || happens(sim.faults, h.path.loss):
		h.retransmit()
		return
	case h.answersRST(h.flight[0]):
		h.sendRST()
		return
	case happens(sim.faults, h.path.reset):
		sim.note(nil, "fault: reset: %v", h.to)
		h.from.fail(econnreset)
		h.to.fail(econnreset)
		return
	}
	g := h.flight[0]
	h.flight = h.flight[1:]
	h.rto = 0
	h.deliver(g)
	if len(h.flight) > 0 && !h.dead && !h.timer.Active() {
		sim.events.Add(&h.timer, max(sim.time(), h.flight[0].arrives))
	}
}

// deliver hands a segment to the reader.
func (h *halfConn) deliver(g segment) {
	s := h.to
	h.flightSize -= len(g.data)
	switch {
	case g.kind == segSYNACK:
		s.handleSYNACK()
		return
	case g.kind == segACK:
		s.handleACK()
		return
	case g.kind == segProbe:
		h.output() // its answer is a window update
		return
	case h.eof || s.state == disconnected || s.state == closed && g.kind == segData: // Unix domain only: TCP sends a reset
		return
	case g.kind == segFIN:
		h.eof, h.finArrived = true, h.sim().time()
	default:
		h.data = append(h.data, g.data...)
	}
	h.sim().record(kindDeliver, s.proc, s.id, uint64(len(g.data)), func() string {
		if g.kind == segFIN {
			return fmt.Sprintf("%v: the end of the data arrives", s)
		}
		return fmt.Sprintf("%v: %d bytes arrive", s, len(g.data))
	})
	s.notify()
	if g.kind == segFIN {
		s.releasePort()
		h.from.releasePort()
	}
}

// kill drops all data and makes the half-connection carry nothing more.
func (h *halfConn) kill() {
	h.dead, h.writeShut, h.rstReturns = true, true, false
	h.unsent, h.flight, h.flightSize = nil, nil, 0
	h.sim().events.Cancel(&h.timer)
}

// read takes data that has arrived, and sends a window update.
func (h *halfConn) read(b []byte) int {
	n := copy(b, h.data)
	h.data = h.data[n:]
	h.updateWindow()
	return n
}

// updateWindow is called when the reader has new room. It sends a window update if the
// writer waits for one.
func (h *halfConn) updateWindow() {
	if len(h.unsent) == 0 || h.updatesWindow || h.dead || h.window() <= 0 {
		return
	}
	if h.path.isLoopback() {
		h.output()
		return
	}
	sim := h.sim()
	h.updatesWindow = true
	sim.after(h.reverse().delay(sim, 40), h.windowUpdated)
}

// windowUpdated is called when a window update should arrive. A lost one is sent again.
func (h *halfConn) windowUpdated() {
	if h.reverse().cut && !h.to.isForgotten() && !h.dead {
		h.sim().after(minRTO, h.windowUpdated)
		return
	}
	h.updatesWindow = false
	h.output()
	if h.to.isForgotten() {
		h.probeWindow()
	}
}

func (s *socket) streamReadiness() (r eddy.Readiness) {
	if s.in.len() > 0 {
		r |= eddy.Readable
	}
	over := s.in.eof || s.readShut
	if over {
		r |= eddy.Readable | eddy.ReadClosed
	}
	if s.out.writeShut || s.out.isWritable() {
		r |= eddy.Writable
	}
	if over && s.out.writeShut {
		r |= eddy.Hangup
	}
	return r
}

func (s *socket) read(p []byte, peek bool) (int, syscall.Errno) {
	if s.in == nil {
		if err := s.pending(); err != 0 {
			return 0, err
		}
		return 0, syscall.ENOTCONN
	}
	sim, short := s.sim(), false
	if n := min(len(p), s.in.len()); n > 1 && happens(sim.faults, s.proc.host.shortReads) {
		p, short = p[:1+sim.faults.choose(uint64(n-1))], true
	}
	switch {
	case len(p) == 0:
		return 0, 0
	case s.in.len() > 0 && peek:
		return copy(p, s.in.data), 0
	case s.in.len() > 0:
		n := s.in.read(p)
		sim.record(kindRead, s.proc, s.id, hashBytes(p[:n]), func() string { return fmt.Sprintf("%v: reads %s", s, excerpt(p[:n])) })
		if short {
			s.notify() // an edge-triggered poller learns of the rest
		}
		return n, 0
	case s.err != 0:
		return 0, s.pending()
	case s.in.eof || s.readShut:
		return 0, 0
	}
	return 0, syscall.EAGAIN
}

func (s *socket) write(p []byte) (int, syscall.Errno) {
	local := s.family == unix.AF_UNIX
	switch {
	case local && s.out != nil && (s.out.writeShut || s.peer.state == closed || s.peer.readShut):
		return 0, syscall.EPIPE
	case s.err != 0:
		return 0, s.pending()
	case s.out == nil:
		return 0, syscall.ENOTCONN
	case s.out.writeShut:
		return 0, syscall.EPIPE
	case len(p) == 0:
		return 0, 0
	}
	n := min(len(p), s.out.room())
	sim := s.sim()
	if n > 1 && happens(sim.faults, s.proc.host.shortWrites) {
		n = 1 + int(sim.faults.choose(uint64(n-1)))
	} else if n < len(p) {
		s.noSpace = true
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	sim.record(kindWrite, s.proc, s.id, hashBytes(p[:n]), func() string { return fmt.Sprintf("%v: writes %s", s, excerpt(p[:n])) })
	s.out.unsent = append(s.out.unsent, p[:n]...)
	s.out.output()
	return n, 0
}
