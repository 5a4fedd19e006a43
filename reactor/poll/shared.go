package poll

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// This file has the operations on a descriptor whose file description is
// shared. Blocking is a property of the file description, and others may turn
// it on at any time; but a loop must never block. So each call has a flag not
// to wait.

var messages = sync.Pool{New: func() any { return new([1]sockets.Message) }}

func receiveShared(k *Kind, fd int, p []byte) (int, syscall.Errno) {
	return moveShared(fd, p, k.Sockets.Receive)
}

func sendShared(k *Kind, fd int, p []byte) (int, syscall.Errno) {
	return moveShared(fd, p, k.Sockets.Send)
}

func moveShared(fd int, p []byte, move func(fd int, ms []sockets.Message, flags int) (int, syscall.Errno)) (int, syscall.Errno) {
	m := messages.Get().(*[1]sockets.Message)
	m[0].Data = p
	_, errno := move(fd, m[:], unix.MSG_DONTWAIT)
	n := m[0].N
	m[0] = sockets.Message{}
	messages.Put(m)
	if errno != 0 {
		return 0, errno
	}
	return n, 0
}

var peeks = sync.Pool{New: func() any { return &[1]sockets.Message{{Data: make([]byte, 1)}} }}

// peek clears the readiness if there is nothing to read.
func (f *FD) peek(k *Kind) {
	m := peeks.Get().(*[1]sockets.Message)
	defer peeks.Put(m)
	if _, errno := k.Sockets.Receive(f.core.Sysfd(), m[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); errno == syscall.EAGAIN {
		f.core.ReadBlocked()
	}
}

// newFile returns a file that Go's poller waits for, even if the file
// description is blocking at the moment.
func newFile(fd int) *os.File {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_NONBLOCK == 0 {
		unix.SetNonblock(fd, true)
		defer unix.SetNonblock(fd, false)
	}
	return os.NewFile(uintptr(fd), "socket")
}
