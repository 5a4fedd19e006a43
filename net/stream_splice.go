package net

import (
	"cmp"
	"os"
	"syscall"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// maxSplice is how much is moved at a time: what a pipe holds (pipe(7): 16 pages
// by default, but a page of the network's may be larger).
const maxSplice = 1 << 20

// splice moves a piece from the source to the destination, by way of a pipe,
// which it holds for no longer than that. A source that has nothing more, or can't
// be spliced, is left to step's other way.
func (s *streamCopy) splice() (end bool, err error) {
	p := s.pipe()
	if p == nil {
		s.cannot = true
		return false, nil
	}
	defer s.pipes.put(p)
	n, errno := s.pipes.sys.Splice(p.w, s.src.fd.Sysfd(), int(min(maxSplice, s.left)))
	switch errno {
	case 0:
		if n > 0 && s.src.limits != nil {
			s.src.limits.heard()
		}
		p.holds = n
		return n == 0, s.pump(p)
	case syscall.EAGAIN: // the pipe is empty, so it is the source that has nothing
		s.src.fd.ReadBlocked()
		s.bulk = false
	case syscall.EINTR:
	case syscall.EINVAL, syscall.ENOSYS:
		s.cannot = true
	default:
		return false, s.src.failed("read", os.NewSyscallError("splice", errno))
	}
	return false, nil
}

// pump moves what the pipe holds to the destination.
func (s *streamCopy) pump(p *pipe) error {
	fd := &s.dst.fd
	if err := fd.LockWrite(); err != nil {
		return s.dst.failed("write", err)
	}
	defer fd.UnlockWrite()
	for p.holds > 0 {
		if err := fd.WaitWrite(); err != nil {
			return s.dst.failed("write", err)
		}
		if fd.Shared() {
			return s.drain(p)
		}
		n, errno := s.pipes.sys.Splice(fd.Sysfd(), p.r, p.holds)
		switch errno {
		case 0:
			if s.dst.limits != nil {
				s.dst.limits.spoke()
			}
			p.holds -= n
			s.count(n)
		case syscall.EAGAIN: // the pipe is not empty, so it is the destination that has no room
			fd.WriteBlocked()
		case syscall.EINTR:
		default:
			return s.dst.failed("write", os.NewSyscallError("splice", errno))
		}
	}
	return nil
}

// drain writes what the pipe holds to a destination that was shared meanwhile, and
// might block. The caller has its lock.
func (s *streamCopy) drain(p *pipe) error {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for p.holds > 0 {
		n, errno := s.pipes.sys.Read(p.r, buf[:])
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			return s.dst.failed("write", os.NewSyscallError("read", cmp.Or(errno, syscall.EPIPE)))
		}
		p.holds -= n
		m, err := s.dst.writeLocked(buf[:n])
		s.count(m)
		if err != nil {
			return s.dst.failed("write", err)
		}
	}
	return nil
}

// pipe returns a pipe, or nil if there can be none.
func (s *streamCopy) pipe() *pipe {
	if s.pipes == nil {
		s.pipes = sharePipes(s.src.fd.Loop(), s.src.sys)
	}
	return s.pipes.get()
}

func (s *streamCopy) release() {
	if s.pipes != nil {
		s.pipes.leave()
	}
}

// A pipe is on loan to a streamCopy, or is empty and in a pool.
type pipe struct{ r, w, holds int }

// A pipePool is the pipes of a loop's copies: there are as many as have data in
// them at a time, and none once the last copy has ended.
type pipePool struct {
	sys   sockets.Calls
	users int
	free  []*pipe
}

var pipePools reactor.Local[pipePool]

// sharePipes returns the loop's pool, for a user who will leave it.
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
	for _, p := range pool.free {
		pool.close(p)
	}
	pool.free = nil
}

func (pool *pipePool) get() *pipe {
	if last := len(pool.free) - 1; last >= 0 {
		p := pool.free[last]
		pool.free = pool.free[:last]
		return p
	}
	r, w, err := pool.sys.Pipe()
	if err != nil {
		return nil
	}
	return &pipe{r: r, w: w}
}

// put gives a pipe back. One that still holds data, since its destination has
// failed, is closed.
func (pool *pipePool) put(p *pipe) {
	if p.holds == 0 {
		pool.free = append(pool.free, p)
	} else {
		pool.close(p)
	}
}

func (pool *pipePool) close(p *pipe) {
	pool.sys.Close(p.r)
	pool.sys.Close(p.w)
}
