package poll

import (
	"io"
	"os"
	"syscall"
)

// readElsewhere is Read for a goroutine.
func (f *FD) readElsewhere(p []byte) (int, error) {
	if !f.isReal() {
		return elsewhere(f, func() (int, error) { return f.Read(p) })
	}
	g, err := f.enter()
	if err != nil {
		return 0, err
	}
	defer g.leave()
	k := f.core.Kind()
	if k.Shared() || k.Datagram {
		return g.readRaw(k, p)
	}
	g.waiting.Add(1)
	n, err := g.file.Read(p)
	g.waiting.Add(-1)
	if n > 0 && f.Activity != nil {
		f.Activity.heard()
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		return 0, g.ended()
	}
	return n, named("read", g.plain(err))
}

// readRaw is a goroutine's Read for descriptors that os.File does not read
// correctly.
func (g *goSide) readRaw(k *Kind, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	err = g.read("read", func(fd int) (errno syscall.Errno) {
		n, errno = readFD(k, fd, p)
		return errno
	})
	if err != nil {
		return 0, err
	}
	if a := g.fd.Activity; a != nil && (n > 0 || k.Datagram) {
		a.heard()
	}
	if n == 0 && !k.Datagram {
		return 0, g.ended()
	}
	return n, nil
}

// ended returns io.EOF, or the error that a task has got.
func (g *goSide) ended() error {
	if g.closed.Load() {
		return os.ErrClosed
	}
	if errno := g.fd.errorFor(goroutines); errno != 0 {
		return os.NewSyscallError("read", errno)
	}
	return io.EOF
}

// named adds the name of the system call to its error.
func named(call string, err error) error {
	if errno, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(call, errno)
	}
	return err
}

// writeElsewhere is Write for a goroutine.
func (f *FD) writeElsewhere(p []byte) (int, error) {
	if !f.isReal() {
		return elsewhere(f, func() (int, error) { return f.Write(p) })
	}
	g, err := f.lockApart()
	if err != nil {
		return 0, err
	}
	defer g.unlockAndLeave()
	k := f.core.Kind()
	if k.Shared() || k.Datagram || f.Activity != nil || len(p) == 0 {
		return g.writeRaw(k, p)
	}
	g.waiting.Add(1)
	n, err := g.file.Write(p)
	g.waiting.Add(-1)
	if err != nil {
		err = named("write", g.plain(err))
	}
	return n, err
}

// writeRaw is a goroutine's Write, in pieces.
func (g *goSide) writeRaw(k *Kind, p []byte) (sum int, err error) {
	for {
		var n int
		err := g.write("write", func(fd int) (errno syscall.Errno) {
			n, errno = writeFD(k, fd, p[sum:])
			return errno
		})
		if err != nil {
			return sum, err
		}
		if sum += n; sum >= len(p) {
			return sum, nil
		}
	}
}

// checkWriteApart is CheckWrite for a goroutine.
func (f *FD) checkWriteApart() error {
	g, err := f.lockApart()
	if err != nil {
		return err
	}
	defer g.unlockAndLeave()
	return g.write("write", func(int) syscall.Errno { return 0 })
}
