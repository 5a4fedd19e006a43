package reactortest

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

func (proc *process) Bind(fd int, sa unix.Sockaddr) error {
	s, err := proc.socket(fd)
	if err != nil {
		return err
	}
	if u, ok := sa.(*unix.SockaddrUnix); ok {
		return proc.bindUnix(s, u.Name)
	}
	a, err := s.addrPort(sa)
	if err != nil {
		return err
	}
	if s.local.IsValid() {
		return syscall.EINVAL
	}
	return proc.bind(s, a)
}

func (proc *process) Listen(fd, backlog int) error {
	s, err := proc.socket(fd)
	switch {
	case err != nil:
		return err
	case s.typ != unix.SOCK_STREAM:
		return syscall.EOPNOTSUPP
	case s.state == connected || s.state == connecting:
		return syscall.EINVAL
	case s.family == unix.AF_UNIX && s.path == "":
		return syscall.EINVAL
	}
	if s.family != unix.AF_UNIX && !s.local.IsValid() {
		if err := proc.bind(s, netip.AddrPortFrom(s.anyAddr(), 0)); err != nil {
			return err
		}
	}
	for _, o := range proc.kernel.holders(port{s.typ, s.local.Port()}) {
		if o != s && o.state == listening && s.family != unix.AF_UNIX && s.overlaps(s.local.Addr(), o) {
			return syscall.EADDRINUSE
		}
	}
	if s.backlog = backlog; backlog < 0 || backlog > maxBacklog {
		s.backlog = maxBacklog
	}
	s.state = listening
	proc.sim().note(proc, "%v", s)
	return nil
}

// maxBacklog is net.core.somaxconn.
const maxBacklog = 4096

func (proc *process) Accept(fd int) (int, unix.Sockaddr, error) {
	s, err := proc.socket(fd)
	if err != nil {
		return -1, nil, err
	}
	if s.state != listening {
		return -1, nil, syscall.EINVAL
	}
	if len(s.queue) == 0 {
		return -1, nil, syscall.EAGAIN
	}
	if happens(proc.sim().faults, proc.host.badAccepts) {
		errs := []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED}
		err := errs[proc.sim().faults.choose(uint64(len(errs)))]
		proc.sim().note(proc, "fault: accept fails: %v", err)
		if err == syscall.ECONNABORTED {
			s.acceptFirst().abort()
		}
		return -1, nil, err
	}
	if proc.isFull() {
		return -1, nil, syscall.EMFILE
	}
	c := s.acceptFirst()
	proc.open(c)
	proc.sim().record(kindAccept, proc, s.id, c.id, func() string { return c.String() + ": is accepted" })
	return c.fd, c.remoteAddr(), nil
}

// Connecting.

func (proc *process) Connect(fd int, sa unix.Sockaddr) error {
	s, err := proc.socket(fd)
	if err != nil {
		return err
	}
	if u, ok := sa.(*unix.SockaddrUnix); ok {
		return proc.connectUnix(s, u.Name)
	}
	a, err := s.addrPort(sa)
	switch {
	case err != nil:
		return err
	case a.Addr().Is4() && s.isV6Only():
		return syscall.ENETUNREACH
	case s.typ == unix.SOCK_DGRAM:
		return proc.connectUDP(s, a)
	case s.state == connecting:
		return syscall.EALREADY
	case s.state != unconnected:
		return syscall.EISCONN
	}
	if a.Addr().IsUnspecified() {
		a = netip.AddrPortFrom(loopbackOf(a.Addr()), a.Port())
	}
	if err := proc.bindToConnect(s, a); err != nil {
		return err
	}
	s.remote, s.state, s.connectStart = a, connecting, proc.sim().time()
	proc.sim().record(kindConnect, proc, s.id, uint64(a.Port()), func() string { return s.String() + ": connects" })
	return proc.connectTCP(s)
}

// Reading and writing.

func (proc *process) Read(fd int, p []byte) (int, syscall.Errno) {
	s, err := proc.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	if s.typ == unix.SOCK_DGRAM {
		n, _, errno := s.receive(p, false)
		return n, errno
	}
	return s.read(p, false)
}

func (proc *process) Write(fd int, p []byte) (int, syscall.Errno) {
	s, err := proc.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	if s.typ == unix.SOCK_DGRAM {
		return s.send(p, s.remote, s.peerPath)
	}
	return s.write(p)
}

func (proc *process) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	return proc.Write(fd, slices.Concat(bufs...))
}

func (proc *process) Receive(fd int, ms []sockets.Message, flags int) (int, syscall.Errno) {
	s, err := proc.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	peek := flags&unix.MSG_PEEK != 0
	for i := range ms {
		if errno := s.receiveMessage(&ms[i], peek); errno != 0 || s.typ == unix.SOCK_STREAM {
			if i > 0 && errno != 0 {
				return i, 0
			}
			return min(i+1, len(ms)) * boolInt(errno == 0), errno
		}
	}
	return len(ms), 0
}

func (proc *process) Send(fd int, ms []sockets.Message, _ int) (int, syscall.Errno) {
	s, err := proc.socket(fd)
	if err != nil {
		return 0, errnoOf(err)
	}
	for i := range ms {
		m := &ms[i]
		var errno syscall.Errno
		switch {
		case len(m.Control) > 0:
			errno = syscall.EOPNOTSUPP
		case s.typ == unix.SOCK_STREAM:
			m.N, errno = s.write(m.Data)
		default:
			m.N, errno = s.sendMessage(m)
		}
		if errno != 0 {
			if i > 0 {
				return i, 0
			}
			return 0, errno
		}
	}
	return len(ms), 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *socket) receiveMessage(m *sockets.Message, peek bool) (errno syscall.Errno) {
	m.NControl, m.Flags, m.Addr, m.Path = 0, 0, netip.AddrPort{}, ""
	if s.typ == unix.SOCK_STREAM {
		m.N, errno = s.read(m.Data, peek)
		return errno
	}
	var d datagram
	m.N, d, errno = s.receive(m.Data, peek)
	if errno != 0 {
		return errno
	}
	if m.N < len(d.data) {
		m.Flags |= unix.MSG_TRUNC
	}
	m.Path = d.path
	if m.Addr = d.from; s.family == unix.AF_INET6 && d.from.Addr().Is4() {
		m.Addr = netip.AddrPortFrom(netip.AddrFrom16(d.from.Addr().As16()), d.from.Port())
	}
	return 0
}

func (s *socket) sendMessage(m *sockets.Message) (int, syscall.Errno) {
	to, path := m.Addr, m.Path
	if !to.IsValid() && path == "" {
		to, path = s.remote, s.peerPath
	}
	return s.send(m.Data, to, path)
}

func (proc *process) Shutdown(fd, how int) error {
	s, err := proc.socket(fd)
	if err != nil {
		return err
	}
	if s.state != connected || s.typ != unix.SOCK_STREAM {
		return syscall.ENOTCONN
	}
	if s.family != unix.AF_UNIX && s.in.eof && s.out.writeShut { // closed, or in TIME-WAIT
		return syscall.ENOTCONN
	}
	if how == unix.SHUT_RD || how == unix.SHUT_RDWR {
		s.readShut = true
		if s.family == unix.AF_UNIX { // its peer is notified; see unix_shutdown in Linux
			s.peer.notify()
		}
	}
	if how == unix.SHUT_WR || how == unix.SHUT_RDWR {
		s.shutdownWrite()
	}
	s.notify()
	return nil
}

func (proc *process) LocalAddr(fd int) (unix.Sockaddr, error) {
	s, err := proc.socket(fd)
	if err != nil {
		return nil, err
	}
	return s.localAddr(), nil
}

func (proc *process) PeerAddr(fd int) (unix.Sockaddr, error) {
	s, err := proc.socket(fd)
	if err != nil {
		return nil, err
	}
	if s.state != connected {
		return nil, syscall.ENOTCONN
	}
	return s.remoteAddr(), nil
}

// excerpt returns the beginning of p for the trace.
func excerpt(p []byte) string {
	const most = 32
	if len(p) <= most {
		return fmt.Sprintf("%q", p)
	}
	return fmt.Sprintf("%q… (%d bytes)", p[:most], len(p))
}
