package process

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// StdinPipe returns a pipe to the program's standard input, for use once the
// command is started: from anywhere, see the package's comment. Close it to tell
// the program that there is no more. A Write to a program that reads no more
// fails with syscall.EPIPE. In a task, Write obeys the task's innermost scope.
// What is open at the loop's end is closed then.
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	switch {
	case c.started:
		return nil, errStarted
	case c.Stdin != nil || c.stdin != nil:
		return nil, taken("Stdin")
	}
	c.stdin = newWriter("stdin")
	return c.stdin, nil
}

// StdoutPipe returns a pipe from the program's standard output, for use once the
// command is started: from anywhere, see the package's comment. It is closed when
// its end is reached, by Close, and at the loop's end; not, as os/exec does, by
// Wait: what a program wrote can be read after its end. In a task, Read obeys the
// task's innermost scope.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) {
	return c.outputPipe(&c.stdout, c.Stdout, "stdout")
}

// StderrPipe is as [Cmd.StdoutPipe], for standard error.
func (c *Cmd) StderrPipe() (io.ReadCloser, error) {
	return c.outputPipe(&c.stderr, c.Stderr, "stderr")
}

func (c *Cmd) outputPipe(r **reader, to io.Writer, name string) (io.ReadCloser, error) {
	switch {
	case c.started:
		return nil, errStarted
	case to != nil || *r != nil:
		return nil, taken(name)
	}
	*r = newReader(name)
	return *r, nil
}

// A pipe is our end of a pipe, the other end of which is the program's.
//
// Invariants: sys is nil until Start has opened fd. ended is set only when fd
// is closed, and all data was read.
type pipe struct {
	name  string
	sys   sockets.Calls
	fd    reactor.FD
	ended bool
}

// A reader is the reading end of a pipe, a writer the writing end.
type (
	reader struct{ pipe }
	writer struct{ pipe }
)

func newReader(name string) *reader { return &reader{pipe{name: name}} }
func newWriter(name string) *writer { return &writer{pipe{name: name}} }

// open takes over a descriptor, also when it fails.
func (p *pipe) open(ctx context.Context, fd int) error {
	sys := reactor.Sockets(ctx)
	err := unix.SetNonblock(fd, true)
	if err == nil {
		err = p.fd.Open(ctx, fd, sys.Close)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	p.sys = sys
	return nil
}

// Read reads what there is, at least a byte, and waits for it if need be.
func (r *reader) Read(p []byte) (int, error) {
	switch {
	case r.sys == nil:
		return 0, r.failed("read", errNotStarted)
	case !r.fd.OnLoop():
		return r.elsewhere("read", func() (int, error) { return r.read(p) })
	}
	n, err := r.read(p)
	return n, r.failed("read", err)
}

// read asks the kernel until it has no more, rather than take a short read for a
// sign of that: in packet mode (O_DIRECT in pipe(2)), a writer's choice, it is none.
func (r *reader) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if err := r.fd.WaitRead(); err != nil {
			if r.ended {
				err = io.EOF
			}
			return 0, err
		}
		n, errno := r.tryRead(p)
		switch errno {
		case 0:
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		case syscall.EAGAIN:
			r.fd.ReadBlocked()
		default:
			return 0, errno
		}
	}
}

// tryRead reads without waiting, and closes the pipe at its end: what comes to
// its end by itself should cost nothing from then on.
func (r *reader) tryRead(p []byte) (int, syscall.Errno) {
	for {
		n, errno := r.sys.Read(r.fd.Sysfd(), p)
		if errno == syscall.EINTR {
			continue
		}
		if errno == 0 && n == 0 {
			r.ended = true
			r.fd.Close()
		}
		return n, errno
	}
}

// WriteTo copies to w until the end of the data; io.Copy uses it.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
	if r.sys == nil || !r.fd.OnLoop() {
		return io.Copy(w, struct{ io.Reader }{r})
	}
	return r.copyTo(w, r.Read)
}

// copyTo copies what read, a way of reading r, returns. It holds a buffer only
// between a read and the write that follows.
func (r *reader) copyTo(w io.Writer, read func(p []byte) (int, error)) (sum int64, err error) {
	for {
		r.fd.WaitRead() // its error is read's to tell
		n, err := r.pass(w, read)
		sum += int64(n)
		if err == io.EOF {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
	}
}

// pass reads once and writes what was read to w. io.EOF is the end of the data;
// an io.EOF of w's is told as a short write.
func (r *reader) pass(w io.Writer, read func(p []byte) (int, error)) (int, error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	n, err := read(buf[:])
	if err != nil {
		return 0, err
	}
	m, err := w.Write(buf[:n])
	if m < n && (err == nil || err == io.EOF) {
		err = io.ErrShortWrite
	}
	return m, err
}

// bufferSize is what a pipe holds (pipe(7): 65,536 bytes since Linux 2.6.11).
const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Write writes all of p, and waits for room if need be. When it fails midway it
// returns how much the kernel has taken. Writes of several tasks are not
// interleaved.
func (w *writer) Write(p []byte) (int, error) {
	switch {
	case w.sys == nil:
		return 0, w.failed("write", errNotStarted)
	case !w.fd.OnLoop():
		return w.elsewhere("write", func() (int, error) { return w.write(p) })
	}
	n, err := w.write(p)
	return n, w.failed("write", err)
}

func (w *writer) write(p []byte) (n int, err error) {
	if err := w.fd.LockWrite(); err != nil {
		return 0, err
	}
	defer w.fd.UnlockWrite()
	for {
		if err := w.fd.WaitWrite(); err != nil {
			return n, err
		}
		m, errno := w.sys.Write(w.fd.Sysfd(), p[n:])
		switch errno {
		case 0:
			if n += m; n == len(p) {
				return n, nil
			}
		case syscall.EAGAIN:
			w.fd.WriteBlocked()
		case syscall.EINTR:
		default:
			return n, errno
		}
	}
}

// Close closes our end. Those who wait to read or write return with os.ErrClosed.
// Closing it again does nothing.
func (p *pipe) Close() error {
	switch {
	case p.sys == nil:
		return p.failed("close", errNotStarted)
	case !p.fd.OnLoop():
		_, err := p.elsewhere("close", func() (int, error) { return 0, p.shut() })
		if errors.Is(err, os.ErrClosed) {
			err = nil // by the loop's end
		}
		return err
	}
	return p.failed("close", p.shut())
}

func (p *pipe) shut() error {
	if p.fd.Sysfd() < 0 {
		return nil
	}
	return p.fd.Close()
}

// elsewhere does f, a method called by a goroutine that is not the running task,
// as a task of the loop, and blocks until it is done.
func (p *pipe) elsewhere(op string, f func() (int, error)) (int, error) {
	wait := reactor.Submit(p.fd.Loop(), func(context.Context) (int, error) { return f() })
	n, err := wait(context.Background())
	if errors.Is(err, reactor.ErrLoopClosed) || errors.Is(err, context.Canceled) {
		err = os.ErrClosed // the loop ends, and all its pipes with it
	}
	return n, p.failed(op, err)
}

// failed makes the error that an os.File would return.
func (p *pipe) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: op, Path: p.name, Err: err}
}
