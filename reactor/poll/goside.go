package poll

import (
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A goSide is the side of an FD that goroutines use. It holds the descriptor as
// an os.File, which is registered with Go's poller.
//
// Invariants: file and raw are set before made is, and never change after that.
// A goroutine that uses them is counted in calls, and has checked, after it was
// counted, that closed is not set; so when closed is set and calls is 0 no
// goroutine will use them any more. attached is set while the loop uses the
// descriptor; only then is the loop notified. Goroutines that wait for the
// write lock are in queue.
type goSide struct {
	core.Side
	fd      *FD
	made    atomic.Bool
	closed  atomic.Bool
	calls   atomic.Int32
	lent    atomic.Int32 // number of the calls that run functions of users
	waiting atomic.Int32 // number of the calls that may wait for the peer
	fatal   [2]atomic.Int32

	mu        sync.Mutex
	file      *os.File
	raw       syscall.RawConn
	attached  bool
	deadlines [2]deadline
	queue     []chan bool
}

// A deadline is the last one set by either side.
type deadline struct {
	t     time.Time
	count int // how many were set
}

func newGoSide(f *FD) *goSide {
	g := &goSide{fd: f}
	g.Sharer = g
	return g
}

// side returns f's goSide, or nil if there is none.
func (f *FD) side() *goSide {
	if s := f.core.Side(); s != nil {
		return s.Sharer.(*goSide)
	}
	return nil
}

// join returns f's goSide, which the first call makes, or nil if f is closed.
func (f *FD) join() *goSide {
	if g := f.side(); g != nil {
		return g
	}
	g := newGoSide(f)
	g.attached = true // an FD opened apart already has a goSide
	s := f.core.Join(&g.Side)
	if s == nil {
		return nil
	}
	return s.Sharer.(*goSide)
}

// enter begins a goroutine's use of the descriptor, which leave ends.
func (f *FD) enter() (*goSide, error) {
	g := f.join()
	if g == nil {
		return nil, os.ErrClosed
	}
	if !g.made.Load() {
		if err := g.make(); err != nil {
			return nil, err
		}
	}
	g.calls.Add(1)
	if g.closed.Load() {
		g.calls.Add(-1)
		return nil, os.ErrClosed
	}
	return g, nil
}

func (g *goSide) leave() { g.calls.Add(-1) }

// make registers the descriptor with Go's poller.
func (g *goSide) make() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed.Load():
		return os.ErrClosed
	case g.made.Load():
		return nil
	}
	if g.file == nil {
		g.file = newFile(g.fd.core.Sysfd())
		g.raw, _ = g.file.SyscallConn()
	}
	if err := g.file.SetDeadline(time.Time{}); err != nil { // not registered with Go's poller: no room
		return os.NewSyscallError("epoll_ctl", syscall.ENOSPC)
	}
	for d := range g.deadlines {
		if g.deadlines[d].count == 0 {
			g.deadlines[d].t = g.fd.coreDeadline(direction(d))
		}
		setFileDeadline(g.file, direction(d), g.deadlines[d].t)
	}
	g.made.Store(true)
	return nil
}

// coreDeadline returns the deadline that was set on the loop's side.
func (f *FD) coreDeadline(d direction) time.Time {
	at := f.core.ReadDeadline()
	if d == writing {
		at = f.core.WriteDeadline()
	}
	if at == 0 {
		return time.Time{}
	}
	return time.Now().Add(at - f.Loop().Time())
}

func setFileDeadline(file *os.File, d direction, t time.Time) error {
	if d == reading {
		return file.SetReadDeadline(t)
	}
	return file.SetWriteDeadline(t)
}

// Attach records that the loop uses the descriptor too.
func (g *goSide) Attach() bool {
	g.mu.Lock()
	if g.closed.Load() {
		g.mu.Unlock()
		return false
	}
	g.attached = true
	deadlines := g.deadlines
	g.mu.Unlock()
	for d, deadline := range deadlines {
		if !deadline.t.IsZero() {
			g.fd.setCoreDeadline(direction(d), deadline.t)
		}
	}
	return true
}

// setDeadline records a deadline, and sets it for goroutines. It returns the
// deadline's number.
func (g *goSide) setDeadline(d direction, t time.Time) (count int, attached bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	own := &g.deadlines[d]
	own.t = t
	own.count++
	if g.made.Load() && !g.closed.Load() {
		setFileDeadline(g.file, d, t)
	}
	return own.count, g.attached
}

// setDeadlineApart sets a deadline for a goroutine. The loop gets it too,
// unless another one has been set by then.
func (f *FD) setDeadlineApart(d direction, t time.Time) error {
	g := f.join()
	if g == nil || g.closed.Load() {
		return os.ErrClosed
	}
	asked := askedAt(t)
	count, attached := g.setDeadline(d, t)
	if attached {
		f.core.Tell(func() {
			g.mu.Lock()
			latest := g.deadlines[d].count == count
			g.mu.Unlock()
			if latest {
				f.setCoreDeadline(d, Rebased(t, asked))
			}
		})
	}
	return nil
}

// controlApart is Control for a goroutine.
func (f *FD) controlApart(do func(sysfd int) error) error {
	g, err := f.enter()
	if err != nil {
		return err
	}
	defer g.leave()
	if e := g.raw.Control(func(fd uintptr) { err = do(int(fd)) }); e != nil {
		return g.plain(e)
	}
	return err
}

// read performs an operation that reads, for a goroutine that has entered, and
// waits until it is possible.
func (g *goSide) read(call string, op func(fd int) syscall.Errno) error {
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	var errno syscall.Errno
	err := g.raw.Read(func(fd uintptr) bool { return tried(op, fd, &errno) })
	return g.result(call, errno, err)
}

// write is read for an operation that writes. The caller has the write lock.
func (g *goSide) write(call string, op func(fd int) syscall.Errno) error {
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	var errno syscall.Errno
	err := g.raw.Write(func(fd uintptr) bool { return tried(op, fd, &errno) })
	if err == nil && errno == 0 && g.fd.Activity != nil {
		g.fd.Activity.spoke()
	}
	return g.result(call, errno, err)
}

// tried performs an operation, repeats it if it is interrupted, and reports
// whether it is over.
func tried(op func(fd int) syscall.Errno, fd uintptr, errno *syscall.Errno) bool {
	for {
		if *errno = op(int(fd)); *errno != syscall.EINTR {
			return *errno != syscall.EAGAIN
		}
	}
}

func (g *goSide) result(call string, errno syscall.Errno, err error) error {
	switch {
	case err != nil:
		return g.plain(err)
	case errno == 0:
		return nil
	}
	return g.fd.failedBy(goroutines, call, errno)
}

// plain converts an error of os.File to the one that a task would get.
func (g *goSide) plain(err error) error {
	if g.closed.Load() {
		return os.ErrClosed
	}
	if p, ok := err.(*fs.PathError); ok {
		err = p.Err
	}
	if errno, ok := err.(syscall.Errno); ok {
		g.fd.keep(goroutines, errno)
		return err
	}
	if err == os.ErrDeadlineExceeded {
		return err
	}
	return os.ErrClosed // package os returns poll.ErrFileClosing, which is not exported
}
