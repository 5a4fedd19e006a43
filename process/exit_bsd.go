//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package process

import (
	"context"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// awaitExit returns nil when the process has ended, and ctx's error if ctx is done
// first. Any other error says that there is no way to learn it here.
//
// A kqueue is itself readable when it has an event to tell (kqueue(2)).
func awaitExit(ctx context.Context, p *os.Process) error {
	kq, err := openQueue()
	if err != nil {
		return err
	}
	defer unix.Close(kq)
	if err := watchExit(kq, p.Pid); err == unix.ESRCH {
		return nil // a zombie: nobody else reaps it, so the number is still its own
	} else if err != nil {
		return err
	}
	for err == nil && !told(kq) {
		err = reactor.WaitReadable(ctx, kq)
	}
	return err
}

// told asks without waiting. The loop's word is not enough: should it have been
// wrong, the wait for the status would block the loop.
func told(kq int) bool {
	var event [1]unix.Kevent_t
	n, _ := unix.Kevent(kq, nil, event[:], &unix.Timespec{})
	return n > 0
}

func openQueue() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	kq, err := unix.Kqueue()
	if err == nil {
		unix.CloseOnExec(kq)
	}
	return kq, err
}

// watchExit repeats an interrupted call: adding again changes nothing.
func watchExit(kq, pid int) error {
	var change [1]unix.Kevent_t
	unix.SetKevent(&change[0], pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	change[0].Fflags = unix.NOTE_EXIT
	for {
		if _, err := unix.Kevent(kq, change[:], nil, nil); err != unix.EINTR {
			return err
		}
	}
}
