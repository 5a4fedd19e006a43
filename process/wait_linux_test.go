package process

import (
	"testing"

	"golang.org/x/sys/unix"
)

// blockUntilExit returns when the process is a zombie, and leaves it one.
func blockUntilExit(t testing.TB, pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}
