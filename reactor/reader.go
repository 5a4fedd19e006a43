package reactor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/eddyio/eddy/reactor/core"
)

// WaitReadable suspends the running task until fd, which may be any descriptor,
// is readable: a read would return data, end of file or an error without
// blocking. It returns ctx's error if ctx is done first, the kernel's if fd
// can't be polled, and [os.ErrClosed] if it notices that fd was closed
// meanwhile. The kernel does not always report that, so stop waiting before you
// close fd. The fd need not be nonblocking, and is not read from. It costs two
// system calls; a socket type should use an [FD]. (asyncio's add_reader.)
func WaitReadable(ctx context.Context, fd int) error {
	return waitForeign(ctx, fd, "WaitReadable", 0)
}

// WaitWritable is like [WaitReadable], for writing.
func WaitWritable(ctx context.Context, fd int) error {
	return waitForeign(ctx, fd, "WaitWritable", 1)
}

func waitForeign(ctx context.Context, fd int, op string, dir int) error {
	w, s, err := core.Await(ctx, op)
	if err != nil {
		return err
	}
	l := w.Loop()
	f, err := l.Borrow(fd, dir, w.Node())
	if err != nil {
		return fmt.Errorf("reactor: %s: %w", op, err)
	}
	l.FDWaits(1)
	woken := w.Park(s, f)
	l.FDWaits(-1)
	f.GiveBack()
	switch woken {
	case core.WokenCanceled:
		return s.AwaitErr()
	case core.WokenClosed:
		return os.ErrClosed
	}
	return nil
}

// AddReader makes the loop call f once in every turn in which fd, which may be
// any descriptor, is readable, until RemoveReader. It is level-triggered, so f
// need not read all there is. A second call for the same fd replaces f. The
// error is the kernel's, if fd can't be polled. AddReader, AddWriter,
// RemoveReader and RemoveWriter must be called by tasks and callbacks of the
// loop. Remove the reader before you close fd. It costs two system calls for
// each call of f.
func (l *Loop) AddReader(fd int, f func()) error { return l.addWatcher(fd, f, 0) }

// AddWriter is like [Loop.AddReader], for writing.
func (l *Loop) AddWriter(fd int, f func()) error { return l.addWatcher(fd, f, 1) }

// RemoveReader undoes AddReader, and reports whether there was a reader. Its
// function is not called again.
func (l *Loop) RemoveReader(fd int) bool { return l.removeWatcher(fd, 0) }

// RemoveWriter is like [Loop.RemoveReader], for AddWriter.
func (l *Loop) RemoveWriter(fd int) bool { return l.removeWatcher(fd, 1) }

// A watcher is the function of an AddReader or AddWriter.
type watcher struct {
	f       func()
	fd      *core.FD
	waiter  core.Waiter
	removed bool
}

func (l *Loop) addWatcher(fd int, f func(), dir int) error {
	l.core.OnLoop("AddReader or AddWriter")
	if f == nil {
		panic("reactor: AddReader or AddWriter with a nil function")
	}
	if old := l.watchers[dir][fd]; old != nil {
		old.f = f
		return nil
	}
	x := &watcher{f: f}
	x.waiter.Hook = core.HookFunc(func() { l.core.Soon(func() { l.watch(fd, x, dir) }) })
	if err := l.arm(fd, x, dir); err != nil {
		return err
	}
	if l.watchers[dir] == nil {
		l.watchers[dir] = make(map[int]*watcher)
	}
	l.watchers[dir][fd] = x
	l.core.FDWaits(1)
	return nil
}

// arm makes x wait for fd's next event, which comes at once if fd is ready.
func (l *Loop) arm(fd int, x *watcher, dir int) (err error) {
	x.fd, err = l.core.Borrow(fd, dir, &x.waiter)
	return err
}

// watch calls the watcher's function after an event and arms the watcher again,
// even if the function panics.
func (l *Loop) watch(fd int, x *watcher, dir int) {
	defer func() {
		gone := x.fd.IsClosed() // releasing it closes it too
		x.fd.GiveBack()
		if x.removed {
			return
		}
		var err error
		if !gone {
			err = l.arm(fd, x, dir)
		}
		if gone || err != nil { // fd is not the same file any more
			l.forget(fd, x, dir)
		}
		if err != nil && !errors.Is(err, syscall.EBADF) { // and was not closed
			l.report(Report{Kind: LoopFailed, What: "a reader or writer was dropped: its fd can't be waited for any more", Err: err})
		}
	}()
	if !x.removed && !x.fd.IsClosed() {
		x.f()
	}
}

func (l *Loop) removeWatcher(fd, dir int) bool {
	l.core.OnLoop("RemoveReader or RemoveWriter")
	x := l.watchers[dir][fd]
	if x == nil {
		return false
	}
	waiting := x.waiter.Waits()
	l.forget(fd, x, dir)
	if waiting {
		x.waiter.Leave()
		x.fd.GiveBack()
	}
	return true
}

func (l *Loop) forget(fd int, x *watcher, dir int) {
	x.removed = true
	delete(l.watchers[dir], fd)
	l.core.FDWaits(-1)
}
