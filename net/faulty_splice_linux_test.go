package net

import (
	"fmt"
	"syscall"
)

// Splice moves less than it is asked to, or can't.
func (f *faulty) Splice(to, from, n int) (int, syscall.Errno) {
	switch f.choose(6) {
	case 1:
		f.fault("splice EINTR")
		return 0, syscall.EINTR
	case 2:
		f.fault("splice EAGAIN")
		f.nudge.again(to) // one of them is a pipe, which the nudger does not know
		f.nudge.again(from)
		return 0, syscall.EAGAIN
	case 3:
		f.fault("half a splice")
		n = (n + 1) / 2
	case 4:
		if f.counts[pipeOf(from)] == 0 && f.choose(8) == 1 { // what a pipe holds can go only to where it could before
			f.fault("splice EINVAL")
			return 0, syscall.EINVAL
		}
	}
	return f.System.Splice(to, from, n)
}

// Pipe remembers which descriptors are pipes'.
func (f *faulty) Pipe() (r, w int, err error) {
	r, w, err = f.System.Pipe()
	f.fault(pipeOf(r))
	return r, w, err
}

func pipeOf(fd int) string { return fmt.Sprint("pipe ", fd) }
