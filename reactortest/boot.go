package reactortest

import (
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/simulation"
)

// A boot is a host from one start to the next: its kernel, which is to say its
// socket calls and what they know. A host that was restarted has another one,
// and what is left of the old is good for nothing.
//
// Invariant: paths holds the sockets that have a name in the Unix domain.
type boot struct {
	host    *Host
	machine *machine
	over    bool // the program is not to do anything more
	files   int  // sockets with a descriptor
	paths   map[string]*socket
	names   uint16 // given to sockets in the Unix domain
}

// newBoot makes h's next boot, on the same machine unless that was turned off.
func newBoot(h *Host) *boot {
	b := &boot{host: h, paths: make(map[string]*socket)}
	if h.boot != nil && h.boot.machine.up {
		b.machine = h.boot.machine
	} else {
		b.machine = newMachine()
	}
	return b
}

func (b *boot) world() *world { return b.host.net.world }

var (
	_ eddy.Sockets      = (*boot)(nil)
	_ simulation.Kernel = (*boot)(nil)
)

// Simulated makes a boot a simulation.Kernel.
func (b *boot) Simulated() {}

// socket finds the socket of a descriptor.
func (b *boot) socket(fd int) (*socket, error) {
	s, err := b.world().file(fd)
	if err == nil && s.gone() {
		err = syscall.ENETDOWN
	}
	return s, err
}

func (b *boot) Socket(family, typ, _ int) (int, error) {
	if b.over || !b.machine.up {
		return -1, syscall.ENETDOWN
	}
	switch {
	case family != unix.AF_INET && family != unix.AF_INET6 && family != unix.AF_UNIX:
		return -1, syscall.EAFNOSUPPORT
	case typ != unix.SOCK_STREAM && typ != unix.SOCK_DGRAM:
		return -1, syscall.EPROTONOSUPPORT
	case b.isFull():
		return -1, syscall.EMFILE
	}
	return b.open(newSocket(b, family, typ)), nil
}

func (b *boot) isFull() bool {
	max := b.host.faults.MaxFiles
	return max > 0 && b.files >= max
}

// open gives a socket the lowest descriptor that is free, as a kernel does.
func (b *boot) open(s *socket) int {
	w := b.world()
	i := len(w.files)
	if last := len(w.free) - 1; last >= 0 {
		i, w.free = w.free[last], w.free[:last]
		w.files[i] = s
	} else {
		w.files = append(w.files, s)
	}
	b.files++
	s.fd = firstFD + i
	return s.fd
}

func (b *boot) Close(fd int) error {
	s, err := b.world().file(fd)
	if err != nil {
		return err
	}
	w := b.world()
	i := fd - firstFD
	w.files[i] = nil
	w.free = append(w.free, i)
	s.home.files--
	s.fd, s.polled = -1, false
	if !s.gone() {
		w.happened(kindClose, s.home, s.id, 0, func() string { return s.String() + ": is closed" })
		s.close()
	}
	return nil
}

func (b *boot) Bind(fd int, sa unix.Sockaddr) error {
	s, err := b.socket(fd)
	if err != nil {
		return err
	}
	if u, ok := sa.(*unix.SockaddrUnix); ok {
		return b.bindPath(s, u.Name)
	}
	a, err := s.addrPort(sa)
	if err != nil {
		return err
	}
	if s.local.IsValid() {
		return syscall.EINVAL
	}
	return b.bind(s, a)
}

// find returns the socket to which something goes that comes for an address: the
// one that is bound to it, or else to any.
func (b *boot) find(typ int, a netip.AddrPort, want func(*socket) bool) *socket {
	var best *socket
	score := 0
	for _, s := range b.machine.at(port{typ, a.Port()}) {
		if n := s.matches(a.Addr()); n > score && want(s) {
			best, score = s, n
		}
	}
	return best
}

func (b *boot) Listen(fd, backlog int) error {
	s, err := b.socket(fd)
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
		if err := b.bind(s, netip.AddrPortFrom(s.anyAddr(), 0)); err != nil {
			return err
		}
	}
	for _, o := range b.machine.at(port{s.typ, s.local.Port()}) {
		if o != s && o.state == listening && s.family != unix.AF_UNIX && s.overlaps(s.local.Addr(), o) {
			return syscall.EADDRINUSE
		}
	}
	if s.backlog = backlog; backlog < 0 || backlog > maxBacklog {
		s.backlog = maxBacklog
	}
	s.state = listening
	b.world().note(b, "%v", s)
	return nil
}

// maxBacklog is net.core.somaxconn.
const maxBacklog = 4096

func (b *boot) Accept(fd int) (int, unix.Sockaddr, error) {
	s, err := b.socket(fd)
	if err != nil {
		return -1, nil, err
	}
	if s.state != listening {
		return -1, nil, syscall.EINVAL
	}
	if len(s.queue) == 0 {
		return -1, nil, syscall.EAGAIN
	}
	if happens(b.world().dice, b.host.badAccepts) {
		errs := []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED}
		err := errs[b.world().dice.choose(uint64(len(errs)))]
		b.world().note(b, "fault: accept fails: %v", err)
		if err == syscall.ECONNABORTED {
			s.take().abort()
		}
		return -1, nil, err
	}
	if b.isFull() {
		return -1, nil, syscall.EMFILE
	}
	c := s.take()
	b.open(c)
	b.world().happened(kindAccept, b, s.id, c.id, func() string { return c.String() + ": is accepted" })
	return c.fd, c.remoteAddr(), nil
}

// Dup is refused: the only use of it is to hand the descriptor to code that is
// not simulated.
func (b *boot) Dup(int) (int, error) { return -1, syscall.ENOTSUP }

// SendFile is not what this kernel can do; the caller copies then.
func (b *boot) SendFile(fd, _ int, _ int64, _ int) (int, syscall.Errno) {
	if _, err := b.socket(fd); err != nil {
		return 0, errnoOf(err)
	}
	return 0, syscall.ENOSYS
}

func (b *boot) LocalAddr(fd int) (unix.Sockaddr, error) {
	s, err := b.socket(fd)
	if err != nil {
		return nil, err
	}
	return s.localAddr(), nil
}

func (b *boot) PeerAddr(fd int) (unix.Sockaddr, error) {
	s, err := b.socket(fd)
	if err != nil {
		return nil, err
	}
	if s.state != connected {
		return nil, syscall.ENOTCONN
	}
	return s.remoteAddr(), nil
}

// LookupHost finds the hosts of the network by their names.
func (b *boot) LookupHost(name string) ([]netip.Addr, error) {
	return b.host.net.lookup(b.host, name)
}

// Unlink removes the name of a socket in the Unix domain, as unlink(2) does.
func (b *boot) Unlink(path string) error {
	if b.paths[path] == nil {
		return syscall.ENOENT
	}
	delete(b.paths, path)
	return nil
}

func (b *boot) bindPath(s *socket, path string) error {
	switch {
	case s.family != unix.AF_UNIX || s.path != "":
		return syscall.EINVAL
	case path == "":
		b.names++
		path = fmt.Sprintf("@%05x", b.names)
	case longPath(path):
		return syscall.EINVAL
	}
	if b.paths[path] != nil {
		return syscall.EADDRINUSE
	}
	s.path = path
	b.paths[path] = s
	return nil
}

// errnoOf is the errno in an error of file's.
func errnoOf(err error) syscall.Errno {
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	return syscall.EBADF
}
