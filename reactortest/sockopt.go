package reactortest

import (
	"golang.org/x/sys/unix"
)

type option struct{ level, name int }

func (proc *process) SetInt(fd, level, name, value int) error {
	s, err := proc.socket(fd)
	if err != nil {
		return err
	}
	if s.options == nil {
		s.options = make(map[option]int)
	}
	if level == unix.SOL_SOCKET && (name == unix.SO_RCVBUF || name == unix.SO_SNDBUF) {
		value = 2 * max(1024, value) // for the kernel's own use as well; see socket(7)
	}
	s.options[option{level, name}] = value
	if s.noteBuffers(); s.in != nil {
		s.in.updateWindow()
		s.out.output()
	}
	return nil
}

func (proc *process) GetInt(fd, level, name int) (int, error) {
	s, err := proc.socket(fd)
	if err != nil {
		return 0, err
	}
	if level == unix.SOL_SOCKET {
		switch name {
		case unix.SO_ERROR:
			return int(s.pending()), nil
		case unix.SO_TYPE:
			return s.typ, nil
		case unix.SO_RCVBUF, unix.SO_SNDBUF:
			return 2 * s.buffer(name), nil
		}
	}
	return s.options[option{level, name}], nil
}

// buffer returns the size of one of the socket's buffers, in bytes of data.
func (s *socket) buffer(name int) int {
	if v := s.options[option{unix.SOL_SOCKET, name}]; v > 0 {
		return v / 2
	}
	return s.buffers
}

// noteBuffers updates the largest sizes of the buffers.
func (s *socket) noteBuffers() {
	s.largest[0] = max(s.largest[0], s.buffer(unix.SO_RCVBUF))
	s.largest[1] = max(s.largest[1], s.buffer(unix.SO_SNDBUF))
}

func (s *socket) isSet(level, name int) bool { return s.options[option{level, name}] != 0 }

func (proc *process) SetLinger(fd int, l *unix.Linger) error {
	s, err := proc.socket(fd)
	if err == nil {
		s.linger0 = l.Onoff != 0 && l.Linger == 0
	}
	return err
}

// isV6Only reports whether an IPv6 socket takes no IPv4 packets.
func (s *socket) isV6Only() bool {
	return s.family == unix.AF_INET6 && s.isSet(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
}

// tcpUserTimeout is Linux's TCP_USER_TIMEOUT.
const tcpUserTimeout = 18
