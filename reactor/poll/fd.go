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

// A Kind is the common state of FDs, such as all those that one listener
// accepts.
type Kind = core.FDKind

// KindOf returns the kind of descriptors of these socket calls.
func KindOf(sys sockets.Calls) Kind { return core.KindOf(sys) }

// An FD is a descriptor with the operations of tasks and goroutines. Unless
// documented otherwise, its methods may be called from any goroutine. They
// return the errors of core.FD's waits, io.EOF, and an [os.SyscallError] for
// the kernel's.
//
// A zero FD must be opened before use; it may be part of a larger structure,
// and must not be copied.
type FD struct {
	core core.FD

	// Activity, if set, records reads and writes. It must be set before others
	// use the FD.
	Activity *Activity
}

// Open registers a nonblocking descriptor with ctx's loop, like core.FD's Open.
func (f *FD) Open(ctx context.Context, sysfd int, k *Kind) error {
	return f.core.OpenKind(ctx, sysfd, k)
}

// OpenLate is like Open, but if goroutines can use the descriptor instead, it
// registers it with the loop's poller only when a task has to wait.
func (f *FD) OpenLate(ctx context.Context, sysfd int, k *Kind) error {
	if !k.Real() {
		return f.Open(ctx, sysfd, k)
	}
	return f.core.OpenLate(ctx, sysfd, k)
}

// OpenLike is like Open, for a descriptor that a task has accepted from other.
func (f *FD) OpenLike(other *FD, sysfd int, k *Kind) error {
	return f.core.OpenLike(&other.core, sysfd, k)
}

// OpenApart opens f with a descriptor for goroutines. It is registered with l
// when a task first uses it.
func (f *FD) OpenApart(l *reactor.Loop, sysfd int, k *Kind) error {
	return f.openApart(l.Core(), sysfd, k)
}

// OpenApartLike is like OpenApart, on the loop of another FD.
func (f *FD) OpenApartLike(other *FD, sysfd int, k *Kind) error {
	return f.openApart(other.core.Loop(), sysfd, k)
}

func (f *FD) openApart(l *core.Loop, sysfd int, k *Kind) error {
	g := newGoSide(f)
	f.core.OpenApart(l, sysfd, k, &g.Side)
	if err := g.make(); err != nil {
		f.Close()
		return err
	}
	return nil
}

// Adopt makes the loop close f, opened by OpenApart, when it ends. If the loop
// has ended Adopt closes f and returns [os.ErrClosed].
func (f *FD) Adopt() error {
	if !f.core.Adopt() {
		f.Close()
		return os.ErrClosed
	}
	return nil
}

// OpenFile is like OpenApart, with the descriptor of a file.
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

// Core returns the loop's record of f, for a core.Dormant.
func (f *FD) Core() *core.FD { return &f.core }

// Sysfd returns the descriptor, or -1 once f is closed. It must be called by
// tasks and callbacks of the loop.
func (f *FD) Sysfd() int { return f.core.Sysfd() }

// Loop returns the FD's loop.
func (f *FD) Loop() *reactor.Loop { return reactor.Facade(f.core.Loop()) }

// OnLoop reports whether the caller is the running task, or a callback, of f's loop.
func (f *FD) OnLoop() bool { return f.core.OnLoop() }

// Shared reports whether other code or processes share the file description.
func (f *FD) Shared() bool { return f.core.Shared() }

// Share makes f assume that the file description is shared, and may become
// blocking.
func (f *FD) Share() { f.core.Share() }

// isReal reports whether the descriptor is one of the system's.
func (f *FD) isReal() bool { return f.core.Kind().Real() }

// AwaitRead waits until a read may not block. It must be called by tasks of the
// loop.
func (f *FD) AwaitRead() error { return f.core.WaitRead() }

// RetryWrite makes tasks and goroutines that wait to write try again: for
// changes that the kernel does not report.
func (f *FD) RetryWrite() {
	if f.core.OnLoop() {
		f.core.Retry(eddy.Writable)
	} else {
		f.core.Tell(func() { f.core.Retry(eddy.Writable) })
	}
}

// touch begins an operation of a task or callback that must not wait.
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

// Close closes f. Pending operations return [os.ErrClosed]. A second Close
// returns os.ErrClosed too. It does not wait for goroutines' operations on f.
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
	return elsewhere0(f, func() error { return f.setDeadline(d, Rebased(t, asked)) })
}

func (f *FD) setCoreDeadline(d direction, t time.Time) error {
	if d == reading {
		return f.core.SetReadDeadline(t)
	}
	return f.core.SetWriteDeadline(t)
}

// Awaited reports whether any task or goroutine waits for f. It must be called
// by tasks and callbacks of the loop.
func (f *FD) Awaited() bool {
	if f.core.Awaited() {
		return true
	}
	g := f.side()
	return g != nil && g.waiting.Load() > 0
}

// A direction is reading or writing.
type direction int

const (
	reading direction = iota
	writing
)

// An FD and its core.FD have the same address, so one can be converted to the
// other.
const _ = -unsafe.Offsetof(FD{}.core)
