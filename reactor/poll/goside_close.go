package poll

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// closedApart reports whether a goroutine has closed f, of which the loop may not yet
// know.
func (f *FD) closedApart() bool {
	g := f.side()
	return g != nil && g.closed.Load()
}

// CloseFD closes the descriptor, now that the loop does not use it.
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

// letGo closes the file, which waits for calls that are under way: the loop must not, nor
// must a function that was lent the descriptor.
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
	g.make() // whether or not there is room: the file is what closes
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

// cut makes the number that of another socket, which is connected to nothing, and so
// closes the one that it was: at once, and as close(2) does it, whoever still has
// the number. A function that was lent the descriptor must find it as it was: then the
// connection is shut down.
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
