//go:build linux

package poll

import "golang.org/x/sys/unix"

// replace replaces fd with an unconnected socket; dup3 closes the old one.
func replace(fd int) error {
	other, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(other)
	return unix.Dup3(other, fd, unix.O_CLOEXEC)
}
