//go:build linux && kqueue_model

package eddy

import (
	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/kqmodel"
)

// With this tag the kqueue backend runs on Linux, for tests.

type kqEvent = kqmodel.Kevent_t

const (
	kqRead  = kqmodel.EVFILT_READ
	kqWrite = kqmodel.EVFILT_WRITE

	kqAdd    = kqmodel.EV_ADD
	kqDelete = kqmodel.EV_DELETE
	kqEnable = kqmodel.EV_ENABLE
	kqClear  = kqmodel.EV_CLEAR
	kqEOF    = kqmodel.EV_EOF
	kqError  = kqmodel.EV_ERROR
)

func kqOpen() (int, error) { return kqmodel.Kqueue() }
func kqClose(kq int) error { return kqmodel.Close(kq) }

func kqSet(ev *kqEvent, fd, filter, flags int) { kqmodel.SetKevent(ev, fd, filter, flags) }

func kqCall(kq int, changes, events []kqEvent, timeout *unix.Timespec) (int, error) {
	return kqmodel.Kevent(kq, changes, events, timeout)
}
