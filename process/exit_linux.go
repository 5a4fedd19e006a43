//go:build !kqueue_model

package process

import (
	"context"
	"os"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// awaitExit returns nil when the process has ended, and ctx's error if ctx is done
// first. Any other error says that there is no way to learn it here.
//
// The process's own pidfd (pidfd_open(2), Linux 5.4 for all that package os needs of
// it) is readable from its end on, also if that came before. Package os holds it
// from the process's start, so the handle can't mean another process.
func awaitExit(ctx context.Context, p *os.Process) error {
	var err error
	handleErr := p.WithHandle(func(pidfd uintptr) {
		for err == nil && !readable(int(pidfd)) {
			err = reactor.WaitReadable(ctx, int(pidfd))
		}
	})
	if handleErr != nil {
		return handleErr
	}
	return err
}

// readable asks without waiting. The loop's word is not enough: should it have
// been wrong, the wait for the status would block the loop.
func readable(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n > 0
}
