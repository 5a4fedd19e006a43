//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package process

import "golang.org/x/sys/unix"

// The part of kqueue(2) that exit_bsd.go uses. kqueue_model.go declares the
// same names for a model of it.

type kqEvent = unix.Kevent_t

func kqOpen() (int, error) { return unix.Kqueue() }

func kqClose(kq int) error { return unix.Close(kq) }

// kqExit sets ev to the change that watches for a process's end.
func kqExit(ev *kqEvent, pid int) {
	unix.SetKevent(ev, pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	ev.Fflags = unix.NOTE_EXIT
}

func kqCall(kq int, changes, events []kqEvent, timeout *unix.Timespec) (int, error) {
	return unix.Kevent(kq, changes, events, timeout)
}
