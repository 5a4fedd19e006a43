package reactortest

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Linux's timeouts; see tcp_retries2, tcp_syn_retries and tcp_syn_linear_timeouts in
// tcp(7), and RFC 6298.
const (
	minRTO              = 200 * time.Millisecond
	maxRTO              = 120 * time.Second
	retransmissionLimit = 924600 * time.Millisecond // tcp_retries2
	synLinearTimeouts   = 5                         // these are a second apart
	synRetries          = 10                        // tcp_syn_retries
	connectLimit        = 131 * time.Second         // all of tcp_syn_retries
	synACKLimit         = 63 * time.Second          // tcp_synack_retries
	noRouteAfter        = 3 * time.Second
	keepaliveProbes     = 9 // tcp_keepalive_probes
)

// maxSegment is the largest segment, in bytes of data.
const maxSegment = 16 << 10

// retransmit is called when the first segment in flight is lost. It sends the segment
// again later, or gives up when a kernel would.
func (h *halfConn) retransmit() {
	sim := h.sim()
	if h.rto == 0 {
		h.rto, h.lostSince = minRTO, sim.time()
		if h.flight[0].kind == segSYNACK {
			h.rto = time.Second
		}
	} else {
		h.rto = min(2*h.rto, maxRTO)
	}
	sim.record(kindLost, h.from.proc, h.from.id, uint64(h.rto), func() string {
		return fmt.Sprintf("%v: lost on the way; again in %v", h.from, h.rto)
	})
	g := h.flight[0]
	switch {
	case h.from.isForgotten(): // nothing sends it again
		h.kill()
		if g.kind == segSYNACK {
			h.to.synACKLost()
		}
		return
	case time.Duration(sim.time()-h.lostSince) < h.userTimeout():
		sim.events.Add(&h.timer, min(sim.time()+int64(h.rto), h.lostSince+int64(h.userTimeout())))
		return
	case g.kind == segACK: // the listener gives up, and the client does not know
		h.to.fail(syscall.ETIMEDOUT)
		if h.flight = h.flight[1:]; len(h.flight) > 0 {
			h.lostSince = sim.time()
			sim.events.Add(&h.timer, sim.time()+int64(h.rto))
		}
		return
	}
	h.from.fail(syscall.ETIMEDOUT)
	h.kill()
	if c := h.to; c.state == connecting {
		c.fail(syscall.ETIMEDOUT) // its SYN arrived, but no SYN-ACK came back
	}
}

// userTimeout returns how long a segment may go unacknowledged; see TCP_USER_TIMEOUT in tcp(7).
func (h *halfConn) userTimeout() time.Duration {
	switch h.flight[0].kind {
	case segSYNACK: // the client's
		return time.Duration(h.to.connectStart-h.lostSince) + connectLimit
	case segACK:
		return synACKLimit
	}
	if ms := h.from.options[option{unix.IPPROTO_TCP, tcpUserTimeout}]; ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return retransmissionLimit
}
