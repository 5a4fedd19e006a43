package reactortest

import (
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
)

// A socket is a socket of a simulated host. After its descriptor is closed, the end of
// a connection lives on until all data is sent.
//
// Invariants: fd is -1 unless the simulator's files have the socket there. A connected
// stream has in and out, and its peer has the same two the other way round.
type socket struct {
	proc     *process
	id       uint64 // unique in the run
	fd       int
	family   int
	typ      int
	state    state
	polled   bool
	notified bool // in the simulator's list of notified sockets
	token    uint64

	local     netip.AddrPort // unmapped; invalid until bound
	autobound bool           // its port was chosen when it connected
	remote    netip.AddrPort // the address that it is connected to
	path      string         // its name in the Unix domain
	peerPath  string         // its peer's name
	err       syscall.Errno  // pending; see SO_ERROR in socket(7)
	options   map[option]int
	linger0   bool
	buffers   int    // the size of a buffer that no option sets
	largest   [2]int // the largest sizes of the receive and send buffers

	// A listener's.
	backlog  int
	queue    []*socket // connections that wait for accept
	halfOpen int       // connections in the handshake

	// A stream's.
	peer          *socket
	in, out       *halfConn
	listener      *socket // until the handshake is complete
	connectStart  int64   // when connect was called
	retriedSYNs   int     // retransmissions of its SYN
	activeClose   bool    // its FIN was sent before the peer's arrived
	timeWaitEnd   int64   // when a closed connection's port becomes free; 0: not in TIME-WAIT
	readShut      bool    // shut down for reading
	noSpace       bool    // a write found no room: notify when there is some
	keepaliveRuns bool

	// A datagram socket's.
	received     []datagram
	receivedSize int
	blocked      []*socket // Unix domain only: senders that found no room
}

type state uint8

const (
	unconnected state = iota
	listening
	connecting
	connected
	disconnected // was connected, or failed to
	closed
)

const econnreset = syscall.ECONNRESET

func newSocket(proc *process, family, typ int) *socket {
	sim := proc.sim()
	sim.sockID++
	s := &socket{proc: proc, id: sim.sockID, fd: -1, family: family, typ: typ, buffers: proc.host.buffers()}
	s.noteBuffers()
	return s
}

func (s *socket) sim() *simulator { return s.proc.sim() }

// processEnded reports whether the socket's process has ended.
func (s *socket) processEnded() bool { return s.proc.ended }

// notify puts s on the list of sockets whose readiness the next Wait returns.
func (s *socket) notify() {
	if s.polled && !s.notified {
		s.notified = true
		sim := s.sim()
		sim.notified = append(sim.notified, s)
	}
}

// readiness returns what s is ready for, as epoll(7) does.
func (s *socket) readiness() eddy.Readiness {
	if s.processEnded() {
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
		if len(s.received) > 0 {
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

// close does what close(2) of the last descriptor does.
func (s *socket) close() {
	if s.state == closed {
		return
	}
	was := s.state
	s.state = closed
	if was == connected && s.typ == unix.SOCK_STREAM {
		s.closeStream()
		s.releasePort()
		return
	}
	s.proc.unbind(s)
	for _, c := range s.queue {
		if c.family == unix.AF_UNIX {
			c.abandon()
		} else {
			c.abort() // see inet_csk_listen_stop in Linux
		}
	}
	s.queue = nil
}

// abandon closes a socket that has no descriptor, or whose process has ended.
func (s *socket) abandon() { s.close() }

// crash drops the socket's state as a power failure does: no packet is sent.
func (s *socket) crash() {
	for _, c := range s.queue {
		c.crash()
	}
	if s.state == connected && s.typ == unix.SOCK_STREAM {
		s.out.unsent = nil
		s.peer.peerVanished()
	}
	s.state = closed
}

// fail makes err the socket's pending error and ends its connection.
func (s *socket) fail(err syscall.Errno) {
	if l := s.listener; l != nil {
		l.halfOpen--
		s.listener = nil
	}
	switch {
	case s.state == closed && s.out != nil:
		s.out.kill()
		s.releasePort()
		if err != econnreset {
			s.peer.peerVanished()
		}
		return
	case s.state != connected && s.state != connecting:
		return
	case s.typ == unix.SOCK_STREAM:
		err = s.disconnect(err)
	}
	s.err = err
	s.notify()
	if err == syscall.ETIMEDOUT && s.peer != nil && s.typ == unix.SOCK_STREAM {
		s.peer.peerVanished() // the peer was not told
	}
}

// disconnect ends a stream that has failed, and returns the error for its user.
func (s *socket) disconnect(err syscall.Errno) syscall.Errno {
	if s.state == connected {
		if s.in.eof && err == econnreset && s.family != unix.AF_UNIX {
			err = syscall.EPIPE // see tcp_reset in Linux, on CLOSE_WAIT
		}
		s.in.eof = true
		s.out.kill()
	}
	s.sim().note(s.proc, "%v fails: %v", s, err)
	s.state = disconnected
	return err
}

// pending returns the socket's error and clears it.
func (s *socket) pending() syscall.Errno {
	err := s.err
	s.err = 0
	return err
}

// String describes the socket in traces and deadlock reports.
func (s *socket) String() string {
	kind := map[int]string{unix.SOCK_STREAM: "tcp", unix.SOCK_DGRAM: "udp"}[s.typ]
	local, remote := s.nameOf(s.local), s.nameOf(s.remote)
	if s.family == unix.AF_UNIX {
		kind, local, remote = "unix", s.path, s.peerPath
	}
	switch s.state {
	case listening:
		return fmt.Sprintf("%s listener %s", kind, local)
	case unconnected:
		return fmt.Sprintf("%s socket %s", kind, local)
	}
	return fmt.Sprintf("%s %s-%s", kind, local, remote)
}

// nameOf returns an address with its host's name.
func (s *socket) nameOf(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	if h := s.proc.host.net.byAddr[a.Addr()]; h != nil {
		return fmt.Sprintf("%s:%d", h.name, a.Port())
	}
	return a.String()
}
