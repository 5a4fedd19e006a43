package reactortest

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/timerwheel"
)

// The times of a connection's attempts, as Linux has them: see tcp(7) on
// tcp_retries2, tcp_syn_retries and tcp_syn_linear_timeouts, and RFC 6298.
const (
	firstRetry  = 200 * time.Millisecond
	longestWait = 120 * time.Second
	giveUpAfter = 924600 * time.Millisecond
	linearSyns  = 5 // the first ones are a second apart
	lastSyn     = 10
	callTime    = 131 * time.Second // of all
	halfTime    = 63 * time.Second  // tcp_synack_retries
	noRoute     = 3 * time.Second
	keepProbes  = 9 // tcp_keepalive_probes
)

// maxSegment is how much of a connection's data travels at once.
const maxSegment = 16 << 10

// A pipe is one direction of a connection.
//
// What is written waits in unsent; what is under way is in flight, in order; what
// has arrived, and not been read, is in data. A segment departs only if there is
// room for it in data when it arrives.
//
// Invariants: len(data)+flying <= the largest buffer that the reader has had;
// len(unsent) <= that of the writer; timer is active exactly while something is in
// flight and a delay lies before it; nothing is in unsent that could depart, unless
// the writer's host is down; and if the reader is forgotten while something is in
// unsent, something is in flight, or a reset under way, by which the writer will know.
type pipe struct {
	from, to *socket
	path     *path
	unsent   []byte
	finish   bool // no more will be written
	finished bool // so the writer has been told
	flight   []segment
	flying   int
	data     []byte
	ended    bool  // the reader has all there was and will be
	over     int64 // when the end arrived; 0: not yet
	dead     bool
	refused  bool // what is first in flight has arrived, and a reset is under way back
	aborted  bool // the reader has sent a reset, which is under way back
	opening  bool // word of new room is under way to the writer
	timer    timerwheel.Timer[func()]
	retry    time.Duration
	since    int64 // when the first attempt failed of those that fail now
}

// A segment is what arrives at once.
type segment struct {
	kind  segmentKind
	data  []byte
	ready int64 // when it arrives, if those before it have
}

type segmentKind uint8

const (
	segData   segmentKind = iota
	segAccept             // the answer to a connect
	segEnter              // the answer to that: the connection is ready to be accepted
	segFinish
	segProbe // asks whether there is room, or anybody, yet
)

func newPipe(from, to *socket) *pipe {
	p := &pipe{from: from, to: to, path: from.home.host.net.path(from.home.host, to.home.host)}
	p.timer.Value = p.arrive
	return p
}

func (p *pipe) world() *world { return p.from.world() }
func (p *pipe) len() int      { return len(p.data) }

// room is how much can be written.
func (p *pipe) room() int { return max(0, p.from.buffer(unix.SO_SNDBUF)-len(p.unsent)) }

// roomy says whether so much is free that the writer is told (a third, as in
// Linux's sk_stream_is_writeable).
func (p *pipe) roomy() bool { return 3*p.room() >= p.from.buffer(unix.SO_SNDBUF) }

// window is how much may depart.
func (p *pipe) window() int { return p.to.buffer(unix.SO_RCVBUF) - len(p.data) - p.flying }

// pump lets depart what can.
func (p *pipe) pump() {
	if p.dead || !p.from.home.machine.up {
		return
	}
	for len(p.unsent) > 0 && p.window() > 0 {
		n := min(len(p.unsent), p.window(), maxSegment)
		data := slices.Clone(p.unsent[:n])
		p.unsent = p.unsent[n:]
		p.depart(segment{kind: segData, data: data}) // which may be the end of p
	}
	if len(p.unsent) == 0 && p.finish && !p.dead {
		p.finish = false
		p.depart(segment{kind: segFinish})
	}
	if s := p.from; s.waiting && p.roomy() {
		s.waiting = false
		s.tell()
	}
}

// depart sends a segment. On the host itself it arrives at once.
func (p *pipe) depart(g segment) {
	p.flying += len(g.data)
	if p.path.direct() && len(p.flight) == 0 {
		if p.refuses(g) {
			p.refuse()
		} else {
			p.deliver(g)
		}
		return
	}
	g.ready = p.world().time() + int64(p.path.delayOf(p.world(), len(g.data)+40))
	p.flight = append(p.flight, g)
	if len(p.flight) == 1 {
		p.world().coming.Add(&p.timer, g.ready)
	}
}

// arrive is when the first segment in flight should be there.
func (p *pipe) arrive() {
	w := p.world()
	if len(p.flight) == 0 || p.dead {
		return
	}
	switch {
	case p.refused:
		p.wasRefused()
		return
	case p.path.cut || !p.to.home.host.boot.machine.up || happens(w.dice, p.path.loss):
		p.lost()
		return
	case p.refuses(p.flight[0]):
		p.refuse()
		return
	case happens(w.dice, p.path.reset):
		w.note(nil, "fault: reset: %v", p.to)
		p.from.fail(econnreset)
		p.to.fail(econnreset)
		return
	}
	g := p.flight[0]
	p.flight = p.flight[1:]
	p.retry = 0
	p.deliver(g)
	if len(p.flight) > 0 && !p.dead && !p.timer.Active() {
		w.coming.Add(&p.timer, max(w.time(), p.flight[0].ready))
	}
}

// lost tries again later, for as long as a kernel does.
func (p *pipe) lost() {
	w := p.world()
	if p.retry == 0 {
		p.retry, p.since = firstRetry, w.time()
		if p.flight[0].kind == segAccept {
			p.retry = time.Second
		}
	} else {
		p.retry = min(2*p.retry, longestWait)
	}
	w.happened(kindLost, p.from.home, p.from.id, uint64(p.retry), func() string {
		return fmt.Sprintf("%v: lost on the way; again in %v", p.from, p.retry)
	})
	g := p.flight[0]
	switch {
	case p.from.forgotten(): // nobody sends it again
		p.kill()
		if g.kind == segAccept {
			p.to.unanswered()
		}
		return
	case time.Duration(w.time()-p.since) < p.patience():
		w.coming.Add(&p.timer, min(w.time()+int64(p.retry), p.since+int64(p.patience())))
		return
	case g.kind == segEnter: // the one who waits for it gives up, and the caller does not know
		p.to.fail(syscall.ETIMEDOUT)
		if p.flight = p.flight[1:]; len(p.flight) > 0 {
			p.since = w.time()
			w.coming.Add(&p.timer, w.time()+int64(p.retry))
		}
		return
	}
	p.from.fail(syscall.ETIMEDOUT)
	p.kill()
	if c := p.to; c.state == connecting {
		c.fail(syscall.ETIMEDOUT) // its call was heard, but it never heard the answer
	}
}

// patience is how long what is sent may go unanswered; see TCP_USER_TIMEOUT in tcp(7).
func (p *pipe) patience() time.Duration {
	switch p.flight[0].kind {
	case segAccept: // the caller's
		return time.Duration(p.to.called-p.since) + callTime
	case segEnter:
		return halfTime
	}
	if ms := p.from.options[option{unix.IPPROTO_TCP, tcpUserTimeout}]; ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return giveUpAfter
}

// tcpUserTimeout is Linux's TCP_USER_TIMEOUT.
const tcpUserTimeout = 18

// forgotten reports whether nothing is left of s's end of its connection, so that a
// reset answers whatever comes for it: CLOSED in RFC 9293, 3.10.7.1.
func (s *socket) forgotten() bool {
	switch {
	case !s.home.machine.up || s.state == dead:
		return true
	case s.state == closed:
		return s.out == nil || s.out.dead || s.expired()
	}
	return false
}

// refuses reports whether a reset answers a segment. It does too where nobody can read
// the data any more.
func (p *pipe) refuses(g segment) bool {
	return p.to.family != unix.AF_UNIX && (p.to.forgotten() || p.to.state == closed && g.kind == segData)
}

// refuse answers the first segment in flight with a reset. The segment is sent again
// if that is lost.
func (p *pipe) refuse() {
	if s := p.to; s.state == closed && s.out != nil {
		s.out.unsent, s.out.finish = nil, false
		s.state = dead
		s.home.unbind(s)
	}
	if p.path.direct() {
		p.from.fail(econnreset)
		return
	}
	w := p.world()
	p.refused = true
	w.coming.Add(&p.timer, w.time()+int64(p.back().delayOf(w, 40)))
}

func (p *pipe) wasRefused() {
	p.refused = false
	switch {
	case p.back().cut:
		p.lost()
	case !p.from.home.machine.up:
		p.kill()
	default:
		p.from.fail(econnreset)
		p.kill() // also if it had failed before
	}
}

// back is the way from the reader to the writer.
func (p *pipe) back() *path {
	return p.from.home.host.net.path(p.to.home.host, p.from.home.host)
}

// abort ends s's connection without a word but a reset. If that is lost, the peer will
// know when it sends something, or probes.
func (s *socket) abort() {
	s.state = closed
	s.out.kill()
	s.settle()
	peer, way := s.peer, s.out.path
	if way.direct() {
		peer.fail(econnreset)
		return
	}
	w := s.world()
	s.in.aborted = true
	w.after(way.delayOf(w, 40), func() {
		s.in.aborted = false
		switch {
		case !peer.home.machine.up:
		case way.cut:
			peer.lonely()
		default:
			peer.fail(econnreset)
		}
	})
}

// deliver gives a segment to the reader.
func (p *pipe) deliver(g segment) {
	s := p.to
	p.flying -= len(g.data)
	switch {
	case g.kind == segAccept:
		s.accepted()
		return
	case g.kind == segEnter:
		s.enter()
		return
	case g.kind == segProbe:
		p.pump() // the answer says whether there is room now
		return
	case p.ended || s.state == dead || s.state == closed && g.kind == segData: // in the Unix domain
		return
	case g.kind == segFinish:
		p.ended, p.over = true, p.world().time()
	default:
		p.data = append(p.data, g.data...)
	}
	p.world().happened(kindDeliver, s.home, s.id, uint64(len(g.data)), func() string {
		if g.kind == segFinish {
			return fmt.Sprintf("%v: the end of the data arrives", s)
		}
		return fmt.Sprintf("%v: %d bytes arrive", s, len(g.data))
	})
	s.tell()
	if g.kind == segFinish {
		s.settle()
		p.from.settle()
	}
}

// kill makes the pipe carry nothing more.
func (p *pipe) kill() {
	p.dead, p.finished, p.refused = true, true, false
	p.unsent, p.flight, p.flying = nil, nil, 0
	p.world().coming.Cancel(&p.timer)
}

// take reads from the pipe. New room makes its way back to the writer.
func (p *pipe) take(b []byte) int {
	n := copy(b, p.data)
	p.data = p.data[n:]
	p.open()
	return n
}

// open is called when there is new room. Word of it makes its way to the writer, if
// that waits for some.
func (p *pipe) open() {
	if len(p.unsent) == 0 || p.opening || p.dead || p.window() <= 0 {
		return
	}
	if p.path.direct() {
		p.pump()
		return
	}
	w := p.world()
	p.opening = true
	w.after(p.back().delayOf(w, 40), p.opened)
}

// opened is when word of new room should be there; it is sent until it is.
func (p *pipe) opened() {
	if p.back().cut && !p.to.forgotten() && !p.dead {
		p.world().after(firstRetry, p.opened)
		return
	}
	p.opening = false
	p.pump()
	if p.to.forgotten() {
		p.probe()
	}
}

// probe has the writer find out, if it waits for room, whether the reader is still
// there. A kernel asks from time to time; here it is called when the answer is no.
func (p *pipe) probe() {
	if len(p.unsent) > 0 && len(p.flight) == 0 && !p.opening && !p.dead && p.from.home.machine.up {
		p.depart(segment{kind: segProbe})
	}
}

// Connecting.

func (b *boot) Connect(fd int, sa unix.Sockaddr) error {
	s, err := b.socket(fd)
	if err != nil {
		return err
	}
	if u, ok := sa.(*unix.SockaddrUnix); ok {
		return b.connectPath(s, u.Name)
	}
	a, err := s.addrPort(sa)
	switch {
	case err != nil:
		return err
	case a.Addr().Is4() && s.only():
		return syscall.ENETUNREACH
	case s.typ == unix.SOCK_DGRAM:
		return b.connectDatagrams(s, a)
	case s.state == connecting:
		return syscall.EALREADY
	case s.state != fresh:
		return syscall.EISCONN
	}
	if a.Addr().IsUnspecified() {
		a = netip.AddrPortFrom(loopbackOf(a.Addr()), a.Port())
	}
	if err := b.bindFor(s, a); err != nil {
		return err
	}
	s.remote, s.state, s.called = a, connecting, b.world().time()
	b.world().happened(kindConnect, b, s.id, uint64(a.Port()), func() string { return s.String() + ": connects" })
	return b.call(s)
}

// source is the address from which a host reaches another.
func (b *boot) source(to netip.Addr) netip.Addr {
	switch {
	case to.IsLoopback():
		return to
	case to.Is4():
		return b.host.addr
	}
	return b.host.addr6
}

func loopbackOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// call sends the first packet of a connection.
func (b *boot) call(s *socket) error {
	w := b.world()
	to := b.host.net.reach(b.host, s.remote.Addr())
	if to == nil {
		w.after(noRoute, func() { s.fail(syscall.EHOSTUNREACH) })
		return syscall.EINPROGRESS
	}
	path := b.host.net.path(b.host, to)
	if path.direct() {
		if l := to.boot.listener(s.remote); l == nil && s.remote == s.local {
			s.meetItself()
			return nil
		} else if l == nil {
			s.state = dead
			return syscall.ECONNREFUSED
		} else if l.hasRoom() {
			l.answer(s)
			return nil
		}
	}
	s.ring(path, 0)
	return syscall.EINPROGRESS
}

// meetItself connects a socket to itself, which calls its own address: a simultaneous
// open, RFC 9293, 3.5.
func (s *socket) meetItself() {
	s.peer, s.state = s, connected
	s.out = newPipe(s, s)
	s.in = s.out
	s.tell()
}

// ring tries to reach a listener, for the nth time, and then again after a while.
func (s *socket) ring(p *path, n int) {
	w := s.world()
	s.rung = n
	w.after(p.delayOf(w, 40), func() {
		if s.state != connecting || s.gone() {
			return
		}
		b := p.to.boot
		if p.cut || !b.machine.up || happens(w.dice, p.loss) {
			w.note(s.home, "%v: lost on the way; again in %v", s, synWait(n))
			s.ringAgain(p)
			return
		}
		switch l := b.listener(s.remote); {
		case l == nil:
			s.refused(s.home.host.net.path(p.to, p.from))
		case !l.hasRoom():
			s.ringAgain(p)
		default:
			l.answer(s)
		}
	})
}

func (s *socket) ringAgain(p *path) {
	s.world().after(synWait(s.rung), func() {
		switch {
		case s.state != connecting || s.gone():
		case s.rung == lastSyn:
			s.fail(syscall.ETIMEDOUT)
		default:
			s.ring(p, s.rung+1)
		}
	})
}

// synWait is how long the nth call may go unanswered.
func synWait(n int) time.Duration { return time.Second << max(0, n-linearSyns+1) }

// unanswered is called when the answer to s's call will not come again.
func (s *socket) unanswered() {
	if s.state == connecting && !s.gone() {
		way := s.out.path
		s.peer, s.in, s.out = nil, nil, nil
		s.ringAgain(way)
	}
}

func (s *socket) refused(back *path) {
	w := s.world()
	w.after(back.delayOf(w, 40), func() {
		if s.state == connecting && !back.cut {
			s.fail(syscall.ECONNREFUSED)
		}
	})
}

// listener finds who listens at an address.
func (b *boot) listener(a netip.AddrPort) *socket {
	return b.find(unix.SOCK_STREAM, a, func(s *socket) bool { return s.state == listening && !s.gone() })
}

// hasRoom reports whether a listener takes one connection more. A backlog of n holds
// n+1; see sk_acceptq_is_full in Linux.
func (s *socket) hasRoom() bool { return len(s.queue)+s.halfway <= s.backlog }

// answer makes the listener's end of a connection to c.
func (l *socket) answer(c *socket) {
	s := newSocket(l.home, l.family, unix.SOCK_STREAM)
	s.local, s.remote = c.remote, c.local
	s.path, s.far = l.path, c.path
	s.state = connected
	for o, v := range l.options { // Linux's accepted sockets are copies
		if s.options == nil {
			s.options = make(map[option]int)
		}
		s.options[o] = v
	}
	s.grown()
	s.peer, c.peer = c, s
	s.out, c.out = newPipe(s, c), newPipe(c, s)
	s.in, c.in = c.out, s.out
	s.caller = l
	l.halfway++
	s.out.depart(segment{kind: segAccept})
}

// accepted is when the answer to s's call arrives.
func (s *socket) accepted() {
	if s.state != connecting {
		s.abort()
		return
	}
	s.state = connected
	s.tell()
	s.out.depart(segment{kind: segEnter})
}

// enter is when s's caller confirms: s can be accepted.
func (s *socket) enter() {
	l := s.caller
	s.caller = nil
	l.halfway--
	if l.state != listening {
		s.abort()
		return
	}
	l.queue = append(l.queue, s)
	l.tell()
}

// Reading and writing.

func (b *boot) Read(fd int, p []byte) (int, syscall.Errno) {
	s, err := b.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	if s.typ == unix.SOCK_DGRAM {
		n, _, errno := s.receive(p, false)
		return n, errno
	}
	return s.read(p, false)
}

func (s *socket) read(p []byte, peek bool) (int, syscall.Errno) {
	if s.in == nil {
		if err := s.pending(); err != 0 {
			return 0, err
		}
		return 0, syscall.ENOTCONN
	}
	w, short := s.world(), false
	if n := min(len(p), s.in.len()); n > 1 && happens(w.dice, s.home.host.shortReads) {
		p, short = p[:1+w.dice.choose(uint64(n-1))], true
	}
	switch {
	case len(p) == 0:
		return 0, 0
	case s.in.len() > 0 && peek:
		return copy(p, s.in.data), 0
	case s.in.len() > 0:
		n := s.in.take(p)
		w.happened(kindRead, s.home, s.id, hashBytes(p[:n]), func() string { return fmt.Sprintf("%v: reads %s", s, excerpt(p[:n])) })
		if short {
			s.tell() // as when the rest comes later
		}
		return n, 0
	case s.err != 0:
		return 0, s.pending()
	case s.in.ended || s.deaf:
		return 0, 0
	}
	return 0, syscall.EAGAIN
}

func (b *boot) Write(fd int, p []byte) (int, syscall.Errno) {
	s, err := b.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	if s.typ == unix.SOCK_DGRAM {
		return s.send(p, s.remote, s.far)
	}
	return s.write(p)
}

func (s *socket) write(p []byte) (int, syscall.Errno) {
	local := s.family == unix.AF_UNIX
	switch {
	case local && s.out != nil && (s.out.finished || s.peer.state == closed || s.peer.deaf):
		return 0, syscall.EPIPE
	case s.err != 0:
		return 0, s.pending()
	case s.out == nil:
		return 0, syscall.ENOTCONN
	case s.out.finished:
		return 0, syscall.EPIPE
	case len(p) == 0:
		return 0, 0
	}
	n := min(len(p), s.out.room())
	w := s.world()
	if n > 1 && happens(w.dice, s.home.host.shortWrites) {
		n = 1 + int(w.dice.choose(uint64(n-1)))
	} else if n < len(p) {
		s.waiting = true
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	w.happened(kindWrite, s.home, s.id, hashBytes(p[:n]), func() string { return fmt.Sprintf("%v: writes %s", s, excerpt(p[:n])) })
	s.out.unsent = append(s.out.unsent, p[:n]...)
	s.out.pump()
	return n, 0
}

// excerpt shows the beginning of some data.
func excerpt(p []byte) string {
	const most = 32
	if len(p) <= most {
		return fmt.Sprintf("%q", p)
	}
	return fmt.Sprintf("%q… (%d bytes)", p[:most], len(p))
}

func (b *boot) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	return b.Write(fd, slices.Concat(bufs...))
}

func (b *boot) Shutdown(fd, how int) error {
	s, err := b.socket(fd)
	if err != nil {
		return err
	}
	if s.state != connected || s.typ != unix.SOCK_STREAM {
		return syscall.ENOTCONN
	}
	if s.family != unix.AF_UNIX && s.in.ended && s.out.finished { // closed, or in TIME-WAIT
		return syscall.ENOTCONN
	}
	if how == unix.SHUT_RD || how == unix.SHUT_RDWR {
		s.deaf = true
		if s.family == unix.AF_UNIX { // its peer is told; see unix_shutdown in Linux
			s.peer.tell()
		}
	}
	if how == unix.SHUT_WR || how == unix.SHUT_RDWR {
		s.end()
	}
	s.tell()
	return nil
}

// end lets the peer know that no more will be written.
func (s *socket) end() {
	if !s.out.finished {
		s.first = s.in.over == 0
		s.out.finished, s.out.finish = true, true
		s.out.pump()
	}
}

// hangUp is the close of a connected stream. One that has not read all, or does
// not want to linger, resets the connection; see RFC 2525, 2.17.
func (s *socket) hangUp() {
	if s.in.len() > 0 || s.linger0 {
		s.abort()
		return
	}
	s.end()
	if s.family == unix.AF_UNIX {
		s.peer.tell()
	}
}

// lonely is called when s's peer has vanished without a word. If s has nothing to
// send, it finds out by probes; see keepalive in tcp(7).
func (s *socket) lonely() {
	if s.out != nil && s.family != unix.AF_UNIX {
		s.out.probe()
	}
	if s.state != connected || s.probing || !s.isSet(unix.SOL_SOCKET, unix.SO_KEEPALIVE) {
		return
	}
	s.probing = true
	idle := s.seconds(keepIdle, 7200)
	s.world().after(idle, func() { s.probe(0) })
}

func (s *socket) probe(failed int) {
	to := s.peer.home.host
	w := s.world()
	s.probing = false
	switch {
	case s.state != connected || s.gone() || !s.isSet(unix.SOL_SOCKET, unix.SO_KEEPALIVE):
	case len(s.out.flight) > 0: // what is sent finds out
		s.lonely()
	case s.isCutOff() || !to.boot.machine.up:
		if failed == keepProbes {
			s.fail(syscall.ETIMEDOUT)
			return
		}
		s.probing = true
		w.after(s.seconds(keepInterval, 75), func() { s.probe(failed + 1) })
	case s.peer.forgotten():
		s.fail(econnreset)
	}
}

// isCutOff says whether nothing gets from s to its peer and back.
func (s *socket) isCutOff() bool {
	n, a, b := s.home.host.net, s.home.host, s.peer.home.host
	return n.path(a, b).cut || n.path(b, a).cut
}

func (s *socket) seconds(name, otherwise int) time.Duration {
	if v := s.options[option{unix.IPPROTO_TCP, name}]; v > 0 {
		return time.Duration(v) * time.Second
	}
	return time.Duration(otherwise) * time.Second
}
