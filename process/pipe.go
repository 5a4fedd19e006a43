package process

import (
	"context"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactor/poll"
)

// StdinPipe returns a pipe to the program's standard input. It may be used once
// the command is started, from anywhere (see the package comment). Close it to
// end the program's input. A Write fails with syscall.EPIPE if the program no
// longer reads. In a task, Write obeys the task's innermost scope. A pipe that
// is still open at the loop's end is closed then.
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

// StdoutPipe returns a pipe from the program's standard output. It may be used
// once the command is started, from anywhere (see the package comment). It is
// closed when its end is reached, by Close, and at the loop's end, but not by
// Wait as in os/exec: the output can be read after the program has ended. In a
// task, Read obeys the task's innermost scope.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) {
	return c.outputPipe(&c.stdout, c.Stdout, "stdout")
}

// StderrPipe is like [Cmd.StdoutPipe], for standard error.
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

// A pipe is our end of a pipe; the program has the other one.
//
// Invariants: kind has no Sockets until Start has opened fd. ended is set only
// when all data was read, and fd is closed then.
type pipe struct {
	name  string
	kind  poll.Kind
	fd    poll.FD
	ended atomic.Bool
}

// A reader is the reading end of a pipe, a writer the writing end.
type (
	reader struct{ pipe }
	writer struct{ pipe }
)

func newReader(name string) *reader { return &reader{pipe{name: name}} }
func newWriter(name string) *writer { return &writer{pipe{name: name}} }

// open takes ownership of fd, also if it fails.
func (p *pipe) open(ctx context.Context, fd int) error {
	kind := poll.KindOf(core.Sockets(ctx))
	err := unix.SetNonblock(fd, true)
	if err == nil {
		p.kind = kind
		err = p.fd.Open(ctx, fd, &p.kind)
	}
	if err != nil {
		p.kind = poll.Kind{}
		unix.Close(fd)
	}
	return err
}

func (p *pipe) isOpened() bool { return p.kind.Sockets != nil }

// Read reads what there is, at least one byte, and waits for it if necessary.
// It does not take a short read as a sign that the pipe is empty: in packet
// mode (O_DIRECT in pipe(2)), which the writer chooses, it is not.
func (r *reader) Read(p []byte) (int, error) {
	if !r.isOpened() {
		return 0, r.failed("read", errNotStarted)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.fd.Read(p)
	return n, r.failed("read", r.orEnd(err))
}

// orEnd returns the error of a read. At the end of the data it closes the pipe,
// so that the caller need not.
func (r *reader) orEnd(err error) error {
	switch {
	case err == io.EOF:
		r.ended.Store(true)
		r.fd.Close()
	case err == os.ErrClosed && r.ended.Load():
		return io.EOF
	}
	return err
}

// WriteTo copies to w until the end of the data; io.Copy uses it.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
	if !r.isOpened() || !r.fd.OnLoop() {
		return io.Copy(w, struct{ io.Reader }{r})
	}
	return r.copyTo(w, r.Read)
}

// copyTo copies to w what read returns; read reads r. It holds a buffer only
// between a read and the write that follows.
func (r *reader) copyTo(w io.Writer, read func(p []byte) (int, error)) (sum int64, err error) {
	for {
		r.fd.AwaitRead() // read returns its error
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

// pass reads once and writes what was read to w. It returns io.EOF at the end
// of the data; an io.EOF of w becomes io.ErrShortWrite.
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

// bufferSize is a pipe's capacity (pipe(7): 65,536 bytes since Linux 2.6.11).
const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Write writes all of p, and waits for room if necessary. If it fails midway it
// returns how much the kernel has taken. Writes of several tasks and goroutines
// are not interleaved.
func (w *writer) Write(p []byte) (int, error) {
	if !w.isOpened() {
		return 0, w.failed("write", errNotStarted)
	}
	n, err := w.fd.Write(p)
	return n, w.failed("write", err)
}

// Close closes our end. Pending reads and writes return os.ErrClosed. Closing
// it again does nothing.
func (p *pipe) Close() error {
	if !p.isOpened() {
		return p.failed("close", errNotStarted)
	}
	return p.failed("close", p.shut())
}

func (p *pipe) shut() error {
	err := p.fd.Close()
	if err == os.ErrClosed {
		return nil
	}
	return err
}

// failed returns the error that an os.File would return.
func (p *pipe) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if call, ok := err.(*os.SyscallError); ok {
		err = call.Err
	}
	return &fs.PathError{Op: op, Path: p.name, Err: err}
}
