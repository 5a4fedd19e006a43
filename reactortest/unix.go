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

func (proc *process) bindUnix(s *socket, path string) error {
	switch {
	case s.family != unix.AF_UNIX || s.path != "":
		return syscall.EINVAL
	case path == "":
		proc.autobound++
		path = fmt.Sprintf("@%05x", proc.autobound)
	case longPath(path):
		return syscall.EINVAL
	}
	if proc.paths[path] != nil {
		return syscall.EADDRINUSE
	}
	s.path = path
	proc.paths[path] = s
	return nil
}

// connectUnix connects to a name in the Unix domain of this host; see unix(7).
func (proc *process) connectUnix(s *socket, path string) error {
	l := proc.paths[path]
	switch {
	case s.family != unix.AF_UNIX:
		return syscall.EAFNOSUPPORT
	case s.state != unconnected && s.typ == unix.SOCK_STREAM:
		return syscall.EISCONN
	case longPath(path):
		return syscall.EINVAL
	case l == nil && len(path) > 0 && path[0] == '@':
		return syscall.ECONNREFUSED
	case l == nil:
		return syscall.ENOENT
	case l.typ != s.typ:
		return syscall.EPROTOTYPE
	case l.processEnded() || l.state == closed:
		return syscall.ECONNREFUSED
	}
	s.peerPath = path
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
	l.handleSYN(s)
	return nil
}

// sendUnix sends a datagram to a name in the Unix domain.
func (s *socket) sendUnix(p []byte, path string) (int, syscall.Errno) {
	r := s.proc.paths[path]
	switch {
	case path == "":
		return 0, syscall.ENOTCONN
	case r == nil && path[0] != '@':
		return 0, syscall.ENOENT
	case r == nil || r.processEnded() || r.state == closed:
		return 0, syscall.ECONNREFUSED
	case r.typ != unix.SOCK_DGRAM:
		return 0, syscall.EPROTOTYPE
	case len(p) > s.buffer(unix.SO_SNDBUF):
		return 0, syscall.EMSGSIZE
	}
	s.sim().record(kindWrite, s.proc, s.id, hashBytes(p), func() string { return fmt.Sprintf("%v: sends %s to %s", s, excerpt(p), path) })
	if !r.enqueue(datagram{data: slices.Clone(p), path: s.path}) {
		r.blocked = append(r.blocked, s)
		return 0, syscall.EAGAIN
	}
	return len(p), 0
}
