package poll

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// closedApart reports whether a goroutine has closed f; the loop may not know
// it yet.
func (f *FD) closedApart() bool {
	g := f.side()
	return g != nil && g.closed.Load()
}

// CloseFD closes the descriptor, which the loop no longer uses.
func (g *goSide) CloseFD(fd int) error {
	g.mu.Lock()
	late := g.closed.Swap(true)
	file := g.file
	attached := g.attached
	g.attached = false
	g.mu.Unlock()
	if late {
		if attached { // the goroutine has left that to the loop
			g.letGo(file)
		}
		return os.ErrClosed
	}
	g.dismiss()
	k := g.fd.core.Kind()
	if file == nil {
		return k.CloseFD(fd)
	}
	if k.Before != nil {
		k.Before()
	}
	if g.calls.Load() > 0 {
		g.cut(fd)
	}
	return g.letGo(file)
}

// letGo closes the file. That waits for calls in progress, which the loop must
// not do, nor a function that has borrowed the descriptor.
func (g *goSide) letGo(file *os.File) error {
	if g.calls.Load() == 0 {
		return closeFile(file)
	}
	go file.Close()
	return nil
}

// closeApart is Close for a goroutine.
func (f *FD) closeApart() error {
	g := f.join()
	if g == nil {
		return os.ErrClosed
	}
	g.make() // ignore errors: the file is needed for closing
	g.mu.Lock()
	if g.closed.Swap(true) {
		g.mu.Unlock()
		return os.ErrClosed
	}
	attached := g.attached
	g.mu.Unlock()
	g.dismiss()
	if k := f.core.Kind(); k.Before != nil {
		k.Before()
	}
	if g.calls.Load() > 0 || attached {
		g.cut(g.fdOf())
	}
	if !attached {
		return g.letGo(g.file)
	}
	g.file.SetDeadline(time.Unix(1, 0)) // wakes goroutines
	f.core.Tell(func() { f.core.Close() })
	return nil
}

// fdOf returns the file's descriptor.
func (g *goSide) fdOf() (fd int) {
	g.raw.Control(func(own uintptr) { fd = int(own) })
	return fd
}

func closeFile(file *os.File) error {
	err := file.Close()
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}

// cut replaces the socket behind the number with one that is not connected,
// which closes the old one at once, as close(2) does, while others still use
// the number. If a function has borrowed the descriptor, that must not change:
// then cut shuts the connection down instead.
func (g *goSide) cut(fd int) {
	if g.lent.Load() == 0 {
		if err := replace(fd); err == nil {
			return
		}
	}
	if !g.fd.core.Shared() {
		unix.Shutdown(fd, unix.SHUT_RDWR)
	}
}
