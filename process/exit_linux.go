//go:build !kqueue_model

package process

import (
	"context"
	"os"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// awaitExit returns nil when the process has ended, and ctx's error if ctx is done
// first. Any other error means that this system offers no way to wait for it.
//
// The process's pidfd (pidfd_open(2); package os needs Linux 5.4 for it) is
// readable once the process has ended. Package os opens it when the process
// starts, so it can't refer to another process.
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

// readable reports whether fd is readable, without waiting. The loop's
// readiness alone is only a hint: if it were wrong, the wait for the status
// would block the loop.
func readable(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n > 0
}
