package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"

	"github.com/eddyio/eddy/reactor"
)

var (
	errStarted    = errors.New("process: already started: a Cmd runs only once; make another one")
	errNotStarted = errors.New("process: not started: call Start first")
)

// Start starts the program and returns without waiting for its end; [Cmd.Wait]
// does that. The program belongs to ctx: when ctx is done, the program is asked
// to end, and then killed, whether or not a task waits for it (see the package
// comment, and [Cmd.Detached]).
//
// The error is ctx's, if ctx is done; an [exec.Error] or [os.PathError] if the
// program can't be found or run, which wraps [exec.ErrNotFound] or
// [os.ErrNotExist]; or the kernel's, for instance if descriptors run out. Then
// nothing is left behind.
//
// Start first yields, then occupies the loop's thread until the new program is
// in place, about a millisecond. It runs on that thread, and not on one that
// may end at any time, because the kernel ties some attributes to the thread
// (PR_SET_PDEATHSIG in prctl(2)).
func (c *Cmd) Start(ctx context.Context) error {
	if err := reactor.Yield(ctx); err != nil {
		return err
	}
	if c.started {
		return errStarted
	}
	c.started = true
	cmd := c.std()
	s := streams{ctx: ctx}
	defer s.closeTheirs()
	if err := s.plumb(c, cmd); err != nil {
		s.closeOurs()
		return err
	}
	if err := cmd.Start(); err != nil {
		s.closeOurs()
		return err
	}
	c.Process = cmd.Process
	c.attend(ctx, s.copies)
	return nil
}

// attend starts the tasks that a running program needs. Only the one that asks
// the program to end is cancelled with ctx.
func (c *Cmd) attend(ctx context.Context, jobs []copyJob) {
	shielded := context.WithoutCancel(ctx)
	c.reaper = reactor.Async(shielded, c.reap)
	c.reaper.SetName("the end of " + c.name())
	for _, job := range jobs {
		c.copies = append(c.copies, job.start(shielded, c.name()))
	}
	if c.Detached {
		ctx = shielded
	}
	reactor.Go(ctx, c.supervise).SetName("the supervision of " + c.name())
}

func (c *Cmd) name() string {
	return fmt.Sprintf("process %d, %s", c.Process.Pid, filepath.Base(c.Path))
}

// streams holds the standard streams of a program that is being started: the
// files opened only for it, our ends of its pipes, and the copying to do.
type streams struct {
	ctx    context.Context
	theirs []*os.File
	ours   []*pipe
	copies []copyJob
}

// plumb sets up the program's standard streams. A stream that is nil or a file
// needs no copying.
func (s *streams) plumb(c *Cmd, cmd *exec.Cmd) (err error) {
	if cmd.Stdin, err = s.input(c); err != nil {
		return err
	}
	if cmd.Stdout, err = s.output(c.Stdout, c.stdout, "stdout"); err != nil {
		return err
	}
	if same(c.Stdout, c.Stderr) && c.stderr == nil {
		cmd.Stderr = cmd.Stdout
		return nil
	}
	cmd.Stderr, err = s.output(c.Stderr, c.stderr, "stderr")
	return err
}

func (s *streams) input(c *Cmd) (io.Reader, error) {
	_, isFile := c.Stdin.(*os.File)
	switch {
	case c.stdin != nil && c.Stdin != nil:
		return nil, taken("Stdin")
	case c.stdin == nil && (c.Stdin == nil || isFile):
		return c.Stdin, nil
	}
	w := c.stdin
	if w == nil {
		w = newWriter("stdin")
		s.copies = append(s.copies, copyJob{"stdin", func(ctx context.Context) error { return w.feed(ctx, c.Stdin) }})
	}
	theirs, ours, err := openPipe()
	return s.connect(&w.pipe, ours, theirs, err)
}

func (s *streams) output(to io.Writer, r *reader, name string) (io.Writer, error) {
	_, isFile := to.(*os.File)
	switch {
	case r != nil && to != nil:
		return nil, taken(name)
	case r == nil && (to == nil || isFile):
		return to, nil
	}
	if r == nil {
		r = newReader(name)
		s.copies = append(s.copies, copyJob{name, func(ctx context.Context) error { return r.drain(ctx, to) }})
	}
	ours, theirs, err := openPipe()
	return s.connect(&r.pipe, ours, theirs, err)
}

// connect registers our end of a new pipe with the loop, and returns theirs.
func (s *streams) connect(p *pipe, ours, theirs int, err error) (*os.File, error) {
	if err != nil {
		return nil, fmt.Errorf("process: cannot make a pipe for %s: %w", p.name, err)
	}
	f := os.NewFile(uintptr(theirs), p.name)
	s.theirs = append(s.theirs, f)
	if err := p.open(s.ctx, ours); err != nil {
		return nil, fmt.Errorf("process: the pipe for %s can't be polled: %w", p.name, err)
	}
	s.ours = append(s.ours, p)
	return f, nil
}

// closeTheirs closes the files that only the program needs: while we hold a
// writing end, its reader gets no end of file.
func (s *streams) closeTheirs() {
	for _, f := range s.theirs {
		f.Close()
	}
}

func (s *streams) closeOurs() {
	for _, p := range s.ours {
		p.fd.Close()
	}
}

// same reports whether two writers are known to be identical.
func same(a, b io.Writer) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
