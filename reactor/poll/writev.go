package poll

import (
	"syscall"
)

// Consume removes n bytes from v, and then empty slices at its beginning. It
// clears the slices that it has removed, so that they can be freed.
func Consume(v *[][]byte, n int) {
	for len(*v) > 0 {
		first := (*v)[0]
		if n < len(first) {
			(*v)[0] = first[n:]
			return
		}
		n -= len(first)
		(*v)[0] = nil
		*v = (*v)[1:]
	}
}

// Writev writes all of v, many slices in one call, and removes from v what was
// written.
func (f *FD) Writev(v *[][]byte) (int64, error) {
	switch {
	case f.core.OnLoop():
		return f.writev(v)
	case f.isReal():
		return f.writevApart(v)
	}
	return elsewhere(f, func() (int64, error) { return f.writev(v) })
}

func (f *FD) writev(v *[][]byte) (sum int64, err error) {
	in := f.core.Inner()
	if err := in.LockWrite(); err != nil {
		return 0, err
	}
	defer f.core.UnlockWrite()
	for Consume(v, 0); len(*v) > 0; {
		if err := in.WaitWrite(); err != nil {
			return sum, err
		}
		n, errno := writevFD(f.core.Kind(), f.core.Sysfd(), *v)
		switch err := f.sent("writev", errno); err {
		case nil:
			sum += int64(n)
			Consume(v, n)
		case errAgain:
		default:
			return sum, err
		}
	}
	return sum, nil
}

func (f *FD) writevApart(v *[][]byte) (sum int64, err error) {
	g, err := f.lockApart()
	if err != nil {
		return 0, err
	}
	defer g.unlockAndLeave()
	for Consume(v, 0); len(*v) > 0; {
		var n int
		err := g.write("writev", func(fd int) (errno syscall.Errno) {
			n, errno = writevFD(f.core.Kind(), fd, *v)
			return errno
		})
		sum += int64(n)
		Consume(v, n)
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func writevFD(k *Kind, fd int, bufs [][]byte) (int, syscall.Errno) {
	if k.Shared() {
		return sendShared(k, fd, bufs[0])
	}
	return k.Sockets.WriteBuffers(fd, bufs)
}
