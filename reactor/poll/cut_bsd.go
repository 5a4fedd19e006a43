//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package poll

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// replace replaces fd with an unconnected socket; dup2 closes the old one.
func replace(fd int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	other, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(other)
	if err := unix.SetNonblock(other, true); err != nil {
		return err
	}
	if err := unix.Dup2(other, fd); err != nil {
		return err
	}
	unix.CloseOnExec(fd)
	return nil
}
