package poll

import (
	"context"
	"os"
	"time"
	"unsafe"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/sockets"
)

// A Kind is what FDs have in common, as all that one listener accepts.
type Kind = core.FDKind

// KindOf returns the kind of descriptors of these socket calls.
func KindOf(sys sockets.Calls) Kind { return core.KindOf(sys) }

// An FD is a descriptor with what tasks and goroutines do to it. Its methods may be
// called from any goroutine, unless they say otherwise. They return the errors of
// core.FD's waits, io.EOF, and an [os.SyscallError] for the kernel's.
//
// The zero FD is to be opened; it may be part of a larger structure, and must not be
// copied.
type FD struct {
	core core.FD

	// Activity, if set, learns of what is read and written. It is set before others
	// use the FD.
	Activity *Activity
}

// Open puts a nonblocking descriptor under ctx's loop, as core.FD's Open does.
func (f *FD) Open(ctx context.Context, sysfd int, k *Kind) error {
	return f.core.OpenKind(ctx, sysfd, k)
}

// OpenLate is like Open, but leaves the loop's poller alone until a task has to wait, if
// goroutines can use the descriptor instead.
func (f *FD) OpenLate(ctx context.Context, sysfd int, k *Kind) error {
	if !k.Real() {
		return f.Open(ctx, sysfd, k)
	}
	return f.core.OpenLate(ctx, sysfd, k)
}

// OpenLike is like Open, for what a task has accepted from other.
func (f *FD) OpenLike(other *FD, sysfd int, k *Kind) error {
	return f.core.OpenLike(&other.core, sysfd, k)
}

// OpenApart makes f of a descriptor that goroutines use; the loop of other learns of it
// when one of its tasks does.
func (f *FD) OpenApart(other *FD, sysfd int, k *Kind) error {
	g := newGoSide(f)
	f.core.OpenApart(other.core.Loop(), sysfd, k, &g.Side)
	if err := g.make(); err != nil {
		f.Close()
		return err
	}
	return nil
}

// OpenFile is like OpenApart, of a descriptor that is a file's.
func (f *FD) OpenFile(l *reactor.Loop, file *os.File, k *Kind) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	g := newGoSide(f)
	g.file, g.raw = file, raw
	f.core.OpenApart(l.Core(), g.fdOf(), k, &g.Side)
	if err := g.make(); err != nil {
		f.Close()
		return err
	}
	return nil
}

// Core returns the FD as the loop knows it, for a core.Dormant.
func (f *FD) Core() *core.FD { return &f.core }

// Sysfd returns the descriptor, or -1 once f is closed. It is for tasks and callbacks
// of the loop.
func (f *FD) Sysfd() int { return f.core.Sysfd() }

// Loop returns the FD's loop.
func (f *FD) Loop() *reactor.Loop { return reactor.Facade(f.core.Loop()) }

// OnLoop reports whether the caller is the running task, or a callback, of f's loop.
func (f *FD) OnLoop() bool { return f.core.OnLoop() }

// Shared reports whether others have the file description too.
func (f *FD) Shared() bool { return f.core.Shared() }

// Share makes f assume that others have the file description, and may make it block.
func (f *FD) Share() { f.core.Share() }

// isReal reports whether the descriptor is one of the system's.
func (f *FD) isReal() bool { return f.core.Kind().Real() }

// AwaitRead waits until a read may not block. It is for tasks of the loop.
func (f *FD) AwaitRead() error { return f.core.WaitRead() }

// RetryWrite makes those that wait to write try again: for changes of which the kernel
// sends no word.
func (f *FD) RetryWrite() {
	if f.core.OnLoop() {
		f.core.Retry(eddy.Writable)
	} else {
		f.core.Tell(func() { f.core.Retry(eddy.Writable) })
	}
}

// touch is how a task or callback begins what is not to wait.
func (f *FD) touch() error {
	if err := f.core.Inner().Attach(); err != nil {
		return err
	}
	if f.core.Inner().Closed() || f.closedApart() {
		return os.ErrClosed
	}
	return nil
}

// Control calls do with the descriptor, which stays open until it returns. do must
// not wait.
func (f *FD) Control(do func(sysfd int) error) error {
	switch {
	case f.core.OnLoop():
		if err := f.touch(); err != nil {
			return err
		}
		return do(f.core.Sysfd())
	case f.isReal():
		return f.controlApart(do)
	}
	return elsewhere0(f, func() error { return f.Control(do) })
}

// Usable returns [os.ErrClosed] if f is closed.
func (f *FD) Usable() error { return f.Control(func(int) error { return nil }) }

// Close closes f. What waits for f returns [os.ErrClosed]. A second Close returns
// os.ErrClosed too. It does not wait for what goroutines do with f.
func (f *FD) Close() error {
	switch {
	case f.core.OnLoop():
		return f.core.Close()
	case f.isReal():
		return f.closeApart()
	}
	return elsewhere0(f, f.Close)
}

// SetReadDeadline sets the read deadline of both sides.
func (f *FD) SetReadDeadline(t time.Time) error { return f.setDeadline(reading, t) }

// SetWriteDeadline sets the write deadline of both sides.
func (f *FD) SetWriteDeadline(t time.Time) error { return f.setDeadline(writing, t) }

func (f *FD) setDeadline(d direction, t time.Time) error {
	switch {
	case f.core.OnLoop():
		if err := f.touch(); err != nil {
			return err
		}
		if err := f.setCoreDeadline(d, t); err != nil {
			return err
		}
		if g := f.side(); g != nil {
			g.setDeadline(d, t)
		}
		return nil
	case f.isReal():
		return f.setDeadlineApart(d, t)
	}
	asked := askedAt(t)
	return elsewhere0(f, func() error { return f.setDeadline(d, rebased(t, asked)) })
}

func (f *FD) setCoreDeadline(d direction, t time.Time) error {
	if d == reading {
		return f.core.SetReadDeadline(t)
	}
	return f.core.SetWriteDeadline(t)
}

// Awaited reports whether anybody waits for f. It is for tasks and callbacks of the
// loop.
func (f *FD) Awaited() bool {
	if f.core.Awaited() {
		return true
	}
	g := f.side()
	return g != nil && g.waiting.Load() > 0
}

// A direction is one of the two ways that data goes.
type direction int

const (
	reading direction = iota
	writing
)

// The addresses of an FD and of its core.FD are the same: whoever is given the one knows
// the other.
const _ = -unsafe.Offsetof(FD{}.core)
