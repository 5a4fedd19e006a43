package eddy

import "syscall"

// A Splicer is what a [Sockets] may be besides: one that moves data from a
// stream to a pipe, and from a pipe to a stream, without copying it.
type Splicer interface {
	// Pipe makes a pipe of which neither end blocks. Close closes each.
	Pipe() (r, w int, err error)
	// Splice moves up to n bytes, as splice(2) does, from one descriptor to
	// another. One of them is a pipe's. 0 is the end of the input. It fails with
	// EINVAL where the kernel can't do this with these two: copy then.
	Splice(to, from, n int) (moved int, errno syscall.Errno)
}
