package kqmodel

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A key names a filter: "An event is uniquely identified by its (ident, filter)
// tuple".
type key struct {
	ident  int
	filter int16
}

// A note is one filter of a kqueue.
type note struct {
	key
	id        int32
	flags     uint16 // of the change that added it
	queued    bool
	early     bool     // ready when added, and not activated since
	source    int      // the descriptor that the epoll set watches
	file      identity // what ident was when the filter was added; not of PROC
	kind      kind
	connected bool  // a stream socket that was seen connected
	tried     bool  // a TCP socket that was seen connecting, or failing to
	moves     int64 // the last result of countMoves
	info      unix.TCPInfo
	infoSize  uint32
}

// An identity distinguishes open files, well enough: each socket and pipe has
// its own inode. The mode distinguishes the two ends of a pipe.
type identity struct {
	dev, ino uint64
	access   int
}

func identify(fd int) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return identity{}, err
	}
	mode, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return identity{uint64(st.Dev), st.Ino, mode & unix.O_ACCMODE}, err
}

// end returns which end of a pipe the filter is at.
func (n *note) end() pipeEnd {
	switch {
	case n.kind != pipe:
		return rightEnd
	case n.filter == EVFILT_READ && n.file.access == unix.O_WRONLY:
		return wrongForRead
	case n.filter == EVFILT_WRITE && n.file.access == unix.O_RDONLY:
		return wrongForWrite
	}
	return rightEnd
}

// A pipeEnd tells whether a filter suits its end of a pipe.
type pipeEnd uint8

const (
	rightEnd      pipeEnd = iota
	wrongForRead          // READ at the writing end
	wrongForWrite         // WRITE at the reading end
)

// live reports whether the descriptor is still the one that was added: "Calling
// close(2) on a file descriptor will remove any kevents that reference the
// descriptor."
func (n *note) live() bool {
	if n.filter == EVFILT_PROC {
		return true
	}
	file, err := identify(n.ident)
	return err == nil && file == n.file
}

// A kind is a type of descriptor; the meaning of poll(2)'s bits depends on it.
type kind uint8

const (
	other kind = iota
	pipe
	listener
	datagram
	stream
	tcp
)

func kindOf(fd int) kind {
	var st unix.Stat_t
	unix.Fstat(fd, &st)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return pipe
	case unix.S_IFSOCK:
	default:
		return other
	}
	if listening, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); listening != 0 {
		return listener
	}
	if typ, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); typ != unix.SOCK_STREAM {
		return datagram
	}
	if domain, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); domain != unix.AF_UNIX {
		return tcp
	}
	return stream
}

// open determines the kind of the descriptor, and returns an error if the
// filter can't be attached to it.
func (n *note) open(p *personality) (errno unix.Errno) {
	if n.filter == EVFILT_PROC {
		n.source, errno = openProcess(p, n.ident)
		return errno
	}
	var err error
	if n.file, err = identify(n.ident); err != nil {
		return unix.EBADF
	}
	n.kind = kindOf(n.ident)
	n.noteState()
	if n.filter == EVFILT_WRITE {
		switch {
		case lookup(n.ident) != nil:
			return p.kqueueWrite.is
		case n.end() == wrongForWrite && p.writeOnReader.is == neutered:
			return 0
		case n.kind == pipe && n.poll()&(unix.POLLERR|unix.POLLHUP) != 0:
			return p.pipeGone.is
		}
	}
	if n.mayRepeat(p) {
		n.moves = n.countMoves()
	}
	return 0
}

// openProcess returns a pidfd (pidfd_open(2)), which is readable once the
// process has ended.
func openProcess(p *personality, pid int) (int, unix.Errno) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, unix.ESRCH
	}
	if (&note{source: fd}).poll() != 0 && p.zombie.is != 0 {
		unix.Close(fd)
		return -1, p.zombie.is
	}
	return fd, 0
}

func (n *note) close() {
	if n.filter == EVFILT_PROC {
		unix.Close(n.source)
	}
}

func (n *note) poll() int16 {
	fds := [1]unix.PollFd{{Fd: int32(n.source), Events: unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP}}
	unix.Poll(fds[:], 0)
	return fds[0].Revents
}

// look runs the filter: it reports whether its condition holds, and fills ev.
func (n *note) look(p *personality, ev *Kevent_t) bool {
	*ev = Kevent_t{Ident: uint64(n.ident), Filter: n.filter, Flags: n.flags & p.eventFlags.is}
	bits := n.poll()
	state := n.noteState()
	n.tried = n.tried || bits&unix.POLLERR != 0
	switch n.filter {
	case EVFILT_READ:
		if n.end() == wrongForRead && p.readOnWriter.is >= reportsNever || n.isUnconnected(state) {
			return false
		}
		return n.lookRead(ev, bits)
	case EVFILT_WRITE:
		switch n.end() {
		case wrongForWrite:
			return n.lookWrongWrite(p, ev, bits)
		case rightEnd:
			if n.isUnconnected(state) || n.isFullPipe(bits) && !p.fullPipeEnds.is {
				return false
			}
		}
		return n.lookWrite(ev, bits, state)
	}
	// "EV_EOF" and "EV_ONESHOT" come with NOTE_EXIT without being requested.
	n.flags |= EV_ONESHOT
	ev.Flags, ev.Fflags = ev.Flags|EV_EOF|EV_ONESHOT, NOTE_EXIT
	return bits&unix.POLLIN != 0
}

// lookRead: "If the read direction of the socket has shutdown, then the filter
// also sets EV_EOF in flags, and returns the socket error (if any) in fflags. It
// is possible for EOF to be returned (indicating the connection is gone) while
// there is still data pending in the socket buffer."
func (n *note) lookRead(ev *Kevent_t, bits int16) bool {
	if bits&(unix.POLLRDHUP|unix.POLLHUP) != 0 || bits&unix.POLLERR != 0 && n.kind != datagram {
		ev.Flags |= EV_EOF
		ev.Fflags = n.socketError(bits)
	}
	ev.Data = n.available()
	n.moves = ev.Data
	return bits&(unix.POLLIN|unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
}

// available returns how much can be read; for a TCP listener, how many
// connections wait.
func (n *note) available() int64 {
	switch n.kind {
	case pipe:
		if n.end() == wrongForRead {
			return 0
		}
	case other:
		return 1
	case listener:
		if !n.askTCP() {
			return 1 // Linux does not tell the number for others
		}
		return int64(n.info.Unacked) // the length of the queue, of a listener (tcp_get_info)
	}
	size, err := unix.IoctlGetInt(n.ident, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return int64(size)
}

// lookWrite: "the filter will set EV_EOF when the reader disconnects", and for
// a socket also when this end has shut down its writing side, as the kernels
// define it (SBS_CANTSENDMORE in FreeBSD's filt_sowrite).
func (n *note) lookWrite(ev *Kevent_t, bits int16, state byte) bool {
	eof := bits&unix.POLLHUP != 0 || bits&unix.POLLERR != 0 && n.kind != datagram
	if eof || n.hasShutdown(state) {
		ev.Flags |= EV_EOF
		ev.Fflags = n.socketError(bits)
		return true
	}
	return bits&(unix.POLLOUT|unix.POLLERR) != 0
}

// askTCP gets struct tcp_info. x/sys's function allocates, and tests that count
// allocations run on the model too.
func (n *note) askTCP() bool {
	n.infoSize = uint32(unsafe.Sizeof(n.info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(n.ident), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&n.info)), uintptr(unsafe.Pointer(&n.infoSize)), 0)
	return errno == 0
}

// lookWrongWrite is lookWrite for a pipe's reading end.
func (n *note) lookWrongWrite(p *personality, ev *Kevent_t, bits int16) bool {
	if p.writeOnReader.is >= reportsNever {
		return false
	}
	if bits&unix.POLLHUP != 0 {
		ev.Flags |= EV_EOF
		return true
	}
	return p.writeOnReader.is == reportsRoom
}

// isFullPipe reports whether n is at the writing end of a full pipe without a
// reader.
func (n *note) isFullPipe(bits int16) bool {
	return n.kind == pipe && bits&unix.POLLERR != 0 && bits&unix.POLLOUT == 0
}

// isUnconnected reports whether n is on a stream socket that never began to
// connect: Linux reports it as hung up, and a kqueue does not report it.
func (n *note) isUnconnected(state byte) bool {
	switch n.kind {
	case tcp:
		return state == tcpClose && !n.connected && !n.tried
	case stream:
		if !n.connected {
			_, err := unix.Getpeername(n.ident)
			n.connected = err != unix.ENOTCONN
		}
		return !n.connected
	}
	return false
}

// socketError guesses SO_ERROR without clearing it. The error of a Unix socket
// is peculiar to Linux: on a BSD there is none when the peer closes with unread
// data.
func (n *note) socketError(bits int16) uint32 {
	switch {
	case bits&unix.POLLERR == 0 || n.kind != tcp:
		return 0
	case !n.connected:
		return uint32(unix.ECONNREFUSED)
	}
	return uint32(unix.ECONNRESET)
}

// The states of a TCP socket (include/net/tcp_states.h).
const (
	tcpUnknown  = 0
	tcpSynSent  = 2
	tcpFinWait1 = 4
	tcpFinWait2 = 5
	tcpTimeWait = 6
	tcpClose    = 7
	tcpLastAck  = 9
	tcpClosing  = 11
)

// hasShutdown reports whether this end has shut down its writing side.
func (n *note) hasShutdown(state byte) bool {
	switch n.kind {
	case tcp:
		switch state {
		case tcpFinWait1, tcpFinWait2, tcpTimeWait, tcpLastAck, tcpClosing:
			return true
		}
	case stream:
		// Sending nothing does nothing, but it fails after a shutdown.
		return unix.Sendto(n.ident, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, nil) == unix.EPIPE
	}
	return false
}

// noteState returns the state of a TCP socket, and records whether it was seen
// connected.
func (n *note) noteState() byte {
	if n.kind != tcp {
		return tcpUnknown
	}
	state := tcpState(n.ident)
	switch state {
	case tcpUnknown, tcpClose:
	case tcpSynSent:
		n.tried = true
	default:
		n.connected = true
	}
	return state
}

// tcpState returns the first byte of struct tcp_info.
func tcpState(fd int) byte {
	info, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return tcpUnknown
	}
	var bytes [4]byte
	binary.NativeEndian.PutUint32(bytes[:], uint32(info))
	return bytes[0]
}
