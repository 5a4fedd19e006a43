//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package process

import (
	"context"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// awaitExit returns nil when the process has ended, and ctx's error if ctx is done
// first. Any other error means that this system offers no way to wait for it.
//
// A kqueue is itself readable when it has an event (kqueue(2)).
func awaitExit(ctx context.Context, p *os.Process) error {
	kq, err := openQueue()
	if err != nil {
		return err
	}
	defer kqClose(kq)
	if err := watchExit(kq, p.Pid); err == unix.ESRCH {
		return nil // a zombie: nothing else reaps it, so the number is still its own
	} else if err != nil {
		return err
	}
	for err == nil && !told(kq) {
		err = reactor.WaitReadable(ctx, kq)
	}
	return err
}

// told reports whether the kqueue has an event, without waiting. Readiness
// alone is only a hint: if it were wrong, the wait for the status would block
// the loop.
func told(kq int) bool {
	var event [1]kqEvent
	n, _ := kqCall(kq, nil, event[:], &unix.Timespec{})
	return n > 0
}

func openQueue() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	kq, err := kqOpen()
	if err == nil {
		unix.CloseOnExec(kq)
	}
	return kq, err
}

// watchExit repeats an interrupted call: adding again changes nothing.
func watchExit(kq, pid int) error {
	var change [1]kqEvent
	kqExit(&change[0], pid)
	for {
		if _, err := kqCall(kq, change[:], nil, nil); err != unix.EINTR {
			return err
		}
	}
}
