package reactortest

import (
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// longPath reports whether a name in the Unix domain has more than 108 bytes,
// with the zero byte that ends one that is not abstract; see unix(7).
func longPath(path string) bool {
	return len(path) > 108 || len(path) == 108 && path[0] != '@'
}

// connectPath connects to a name in the Unix domain, which is of this host
// alone; see unix(7).
func (b *boot) connectPath(s *socket, path string) error {
	l := b.paths[path]
	switch {
	case s.family != unix.AF_UNIX:
		return syscall.EAFNOSUPPORT
	case s.state != fresh && s.typ == unix.SOCK_STREAM:
		return syscall.EISCONN
	case longPath(path):
		return syscall.EINVAL
	case l == nil && len(path) > 0 && path[0] == '@':
		return syscall.ECONNREFUSED
	case l == nil:
		return syscall.ENOENT
	case l.typ != s.typ:
		return syscall.EPROTOTYPE
	case l.gone() || l.state == closed:
		return syscall.ECONNREFUSED
	}
	s.far = path
	if s.typ == unix.SOCK_DGRAM {
		s.state = connected
		return nil
	}
	switch {
	case l.state != listening:
		return syscall.ECONNREFUSED
	case !l.hasRoom():
		return syscall.EAGAIN
	}
	s.state = connecting
	l.answer(s)
	return nil
}

// sendPath sends a datagram to a name in the Unix domain.
func (s *socket) sendPath(p []byte, path string) (int, syscall.Errno) {
	r := s.home.paths[path]
	switch {
	case path == "":
		return 0, syscall.ENOTCONN
	case r == nil && path[0] != '@':
		return 0, syscall.ENOENT
	case r == nil || r.gone() || r.state == closed:
		return 0, syscall.ECONNREFUSED
	case r.typ != unix.SOCK_DGRAM:
		return 0, syscall.EPROTOTYPE
	case len(p) > s.buffer(unix.SO_SNDBUF):
		return 0, syscall.EMSGSIZE
	}
	s.world().happened(kindWrite, s.home, s.id, hashBytes(p), func() string { return fmt.Sprintf("%v: sends %s to %s", s, excerpt(p), path) })
	if !r.put(datagram{data: slices.Clone(p), path: s.path}) {
		r.blocked = append(r.blocked, s)
		return 0, syscall.EAGAIN
	}
	return len(p), 0
}
