//go:build linux && kqueue_model

package process

import (
	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/kqmodel"
)

// With this tag, for tests, a model of kqueue reports a process's end on Linux.

type kqEvent = kqmodel.Kevent_t

func kqOpen() (int, error) { return kqmodel.Kqueue() }

func kqClose(kq int) error { return kqmodel.Close(kq) }

func kqExit(ev *kqEvent, pid int) {
	kqmodel.SetKevent(ev, pid, kqmodel.EVFILT_PROC, kqmodel.EV_ADD|kqmodel.EV_ONESHOT)
	ev.Fflags = kqmodel.NOTE_EXIT
}

func kqCall(kq int, changes, events []kqEvent, timeout *unix.Timespec) (int, error) {
	return kqmodel.Kevent(kq, changes, events, timeout)
}
