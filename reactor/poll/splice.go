package poll

import (
	"cmp"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// maxSplice is how much is moved at a time: a pipe's capacity (pipe(7): 16
// pages by default, but pages of the network may be larger).
const maxSplice = 1 << 20

// A streamCopy is the part of a task's Copy after a piece has filled the loop's
// buffer.
type streamCopy struct {
	dst, src *FD
	left     int64 // how much to move at most
	moved    int64
	bulk     bool // the last piece filled the room for it
	cannot   bool // splice
	pipes    *pipePool
}

// copyLarge is the rest of a Copy after a piece has filled the buffer.
func copyLarge(dst, src *FD, limit int64) (int64, *CopyError) {
	s := streamCopy{dst: dst, src: src, left: limit, bulk: true}
	defer s.release()
	for s.left > 0 {
		if err := src.core.Inner().WaitRead(); err != nil {
			return s.moved, &CopyError{Err: err}
		}
		switch why := s.step(); why {
		case nil:
		case atEnd:
			return s.moved, nil
		default:
			return s.moved, why
		}
	}
	return s.moved, nil
}

func (s *streamCopy) step() *CopyError {
	if s.bulk && !s.cannot && !s.src.Shared() && !s.dst.Shared() {
		return s.splice()
	}
	n, why := copyPiece(s.dst, s.src, s.left)
	s.count(n)
	if s.bulk = why == isFull; s.bulk {
		return nil
	}
	return why
}

func (s *streamCopy) count(n int) {
	s.moved += int64(n)
	s.left -= int64(n)
}

// splice moves a piece from the source to the destination through a pipe, which
// it holds only meanwhile. If the source has nothing more, or can't be spliced,
// step copies instead.
func (s *streamCopy) splice() *CopyError {
	p := s.pipe()
	if p == nil {
		s.bulk = false // copy the next piece
		s.cannot = !s.pipes.full()
		return nil
	}
	defer s.pipes.put(p)
	n, errno := s.pipes.sys.Splice(p.w, s.src.core.Sysfd(), int(min(maxSplice, s.left)))
	switch errno {
	case 0:
		if n == 0 {
			return sourceFailed(s.src.readEnded())
		}
		if s.src.Activity != nil {
			s.src.Activity.heard()
		}
		p.holds = n
		return s.pump(p)
	case syscall.EAGAIN: // the pipe is empty, so it is the source that has nothing
		s.src.core.ReadBlocked()
		s.bulk = false
	case syscall.EINTR:
	case syscall.EINVAL, syscall.ENOSYS:
		s.cannot = true
	default:
		return &CopyError{Err: s.src.failed("splice", errno)}
	}
	return nil
}

// pump moves what the pipe holds to the destination.
func (s *streamCopy) pump(p *pipe) *CopyError {
	fd := &s.dst.core
	in := fd.Inner()
	if err := in.LockWrite(); err != nil {
		return &CopyError{err, true}
	}
	defer fd.UnlockWrite()
	for p.holds > 0 {
		if err := in.WaitWrite(); err != nil {
			return &CopyError{err, true}
		}
		if fd.Shared() {
			return s.drain(p)
		}
		n, errno := s.pipes.sys.Splice(fd.Sysfd(), p.r, p.holds)
		switch err := s.dst.sent("splice", errno); err { // EAGAIN comes from the destination, because the pipe is not empty
		case nil:
			p.holds -= n
			s.count(n)
		case errAgain:
		default:
			return &CopyError{err, true}
		}
	}
	return nil
}

// drain writes what the pipe holds to a destination that has become shared and
// might block. The caller holds its lock.
func (s *streamCopy) drain(p *pipe) *CopyError {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for p.holds > 0 {
		n, err := p.read(s.pipes.sys, buf[:])
		if err == nil {
			n, err = s.dst.writeLocked(buf[:n])
			s.count(n)
		}
		if err != nil {
			return &CopyError{err, true}
		}
	}
	return nil
}

// pipe returns a pipe, or nil if none is available.
func (s *streamCopy) pipe() *pipe {
	if s.pipes == nil {
		s.pipes = sharePipes(s.src.Loop(), s.src.core.Kind().Sockets)
	}
	return s.pipes.get()
}

func (s *streamCopy) release() {
	if s.pipes != nil {
		s.pipes.leave()
	}
}

// A pipe is in use by a copy, or empty and in a pool.
type pipe struct{ r, w, holds int }

// newPipe returns a new pipe, or nil if it can't make one.
func newPipe(sys sockets.Calls) *pipe {
	r, w, err := sys.Pipe()
	if err != nil {
		return nil
	}
	return &pipe{r: r, w: w}
}

func (p *pipe) close(sys sockets.Calls) {
	sys.Close(p.r)
	sys.Close(p.w)
}

// read reads some of what the pipe holds.
func (p *pipe) read(sys sockets.Calls, buf []byte) (int, error) {
	for {
		n, errno := sys.Read(p.r, buf)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			return 0, os.NewSyscallError("read", cmp.Or(errno, syscall.EPIPE))
		}
		p.holds -= n
		return n, nil
	}
}

// A pipePool holds the pipes of a loop's copies: as many as hold data at a
// time, but at most maxPipes, because a peer that never reads keeps one. It is
// empty once the last copy has ended.
//
// Invariants: made is the number of pipes, free and in use; lowest is the
// smallest number of free pipes since seen was 0.
type pipePool struct {
	sys    sockets.Calls
	users  int
	free   []*pipe
	made   int
	seen   int // pipes returned
	lowest int
}

const (
	maxPipes  = 64  // per loop; each has two descriptors
	trimPipes = 256 // after so many uses, the pool closes the pipes that were free all the time
)

var pipePools reactor.Local[pipePool]

// sharePipes returns the loop's pool. The caller must call leave later.
func sharePipes(l *reactor.Loop, sys sockets.Calls) *pipePool {
	pool := pipePools.On(l)
	pool.sys = sys
	pool.users++
	return pool
}

// leave ends the use of the pool; the last one empties it.
func (pool *pipePool) leave() {
	if pool.users--; pool.users > 0 {
		return
	}
	pool.keep(0)
}

// keep closes all free pipes but n.
func (pool *pipePool) keep(n int) {
	for _, p := range pool.free[n:] {
		pool.close(p)
	}
	clear(pool.free[n:])
	pool.free = pool.free[:n]
}

func (pool *pipePool) close(p *pipe) {
	p.close(pool.sys)
	pool.made--
}

// full reports whether all pipes are in use and no more may be made.
func (pool *pipePool) full() bool { return pool.made == maxPipes && len(pool.free) == 0 }

// get returns a pipe, or nil if none is available.
func (pool *pipePool) get() *pipe {
	if last := len(pool.free) - 1; last >= 0 {
		p := pool.free[last]
		pool.free = pool.free[:last]
		pool.lowest = min(pool.lowest, last)
		return p
	}
	pool.lowest = 0
	if pool.full() {
		return nil
	}
	p := newPipe(pool.sys)
	if p != nil {
		pool.made++
	}
	return p
}

// put returns a pipe to the pool. One that still holds data, because its
// destination has failed, is closed.
func (pool *pipePool) put(p *pipe) {
	if p.holds > 0 {
		pool.close(p)
		return
	}
	pool.free = append(pool.free, p)
	if pool.seen++; pool.seen == trimPipes {
		pool.keep(len(pool.free) - pool.lowest)
		pool.seen, pool.lowest = 0, len(pool.free)
	}
}

// pipesApart is how many pipes goroutines have. Each copy that has needed one keeps it to
// its end.
var pipesApart atomic.Int32

// newPipeApart is newPipe for a goroutine. All of them have no more pipes than a loop.
func newPipeApart(sys sockets.Calls) *pipe {
	if pipesApart.Add(1) <= maxPipes {
		if p := newPipe(sys); p != nil {
			return p
		}
	}
	pipesApart.Add(-1)
	return nil
}

// spliceApart is a goroutine's copy through a pipe. failed is nil if the data
// can't be spliced.
func spliceApart(dst, src *FD, limit int64, p *pipe) (moved int64, failed *CopyError) {
	g, err := src.enter()
	if err != nil {
		return 0, &CopyError{Err: err}
	}
	defer g.leave()
	sys := src.core.Kind().Sockets
	for moved < limit {
		cannot := false
		err := g.read("splice", func(fd int) (errno syscall.Errno) {
			p.holds, errno = sys.Splice(p.w, fd, int(min(maxSplice, limit-moved)))
			if errno == syscall.EINVAL || errno == syscall.ENOSYS {
				cannot, errno = true, 0
			}
			return errno
		})
		switch {
		case err != nil:
			return moved, &CopyError{Err: err}
		case cannot:
			return moved, nil
		case p.holds == 0:
			return moved, sourceFailed(g.ended())
		}
		if src.Activity != nil {
			src.Activity.heard()
		}
		n, why := pumpApart(dst, p)
		if moved += n; why != nil {
			return moved, why
		}
	}
	return moved, atEnd
}

func pumpApart(dst *FD, p *pipe) (moved int64, failed *CopyError) {
	g, err := dst.lockApart()
	if err != nil {
		return 0, &CopyError{err, true}
	}
	defer g.unlockAndLeave()
	sys := dst.core.Kind().Sockets
	for p.holds > 0 {
		if dst.Shared() {
			n, why := drainApart(g, p)
			return moved + n, why
		}
		var n int
		err := g.write("splice", func(fd int) (errno syscall.Errno) {
			n, errno = sys.Splice(fd, p.r, p.holds)
			return errno
		})
		if err != nil {
			return moved, &CopyError{err, true}
		}
		p.holds -= n
		moved += int64(n)
	}
	return moved, nil
}

func drainApart(g *goSide, p *pipe) (moved int64, failed *CopyError) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	k := g.fd.core.Kind()
	for p.holds > 0 {
		n, err := p.read(k.Sockets, buf[:])
		if err == nil {
			n, err = g.writeRaw(k, buf[:n])
			moved += int64(n)
		}
		if err != nil {
			return moved, &CopyError{err, true}
		}
	}
	return moved, nil
}
