//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package eddy

import "golang.org/x/sys/unix"

// The part of kqueue(2) that poller_bsd.go uses. kqueue_model.go declares the
// same names for a model of it.

type kqEvent = unix.Kevent_t

const (
	kqRead  = unix.EVFILT_READ
	kqWrite = unix.EVFILT_WRITE

	kqAdd    = unix.EV_ADD
	kqDelete = unix.EV_DELETE
	kqEnable = unix.EV_ENABLE
	kqClear  = unix.EV_CLEAR
	kqEOF    = unix.EV_EOF
	kqError  = unix.EV_ERROR
)

func kqOpen() (int, error) { return unix.Kqueue() }
func kqClose(kq int) error { return unix.Close(kq) }

func kqSet(ev *kqEvent, fd, filter, flags int) { unix.SetKevent(ev, fd, filter, flags) }

func kqCall(kq int, changes, events []kqEvent, timeout *unix.Timespec) (int, error) {
	return unix.Kevent(kq, changes, events, timeout)
}
