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
	errStarted    = errors.New("process: started already: a Cmd runs once, make another one")
	errNotStarted = errors.New("process: not started: call Start first")
)

// Start starts the program and returns without waiting for its end, for which
// there is [Cmd.Wait]. The program belongs to ctx: when that is done, it is
// asked to end, and then killed, whoever waits for it or not (see the package's
// comment, and [Cmd.Detached]).
//
// The error is ctx's, if that is done, an [exec.Error] or [os.PathError] if the
// program can't be found or run, for errors.Is [exec.ErrNotFound] or
// [os.ErrNotExist]; or the kernel's, if it is out of descriptors, say. Then
// nothing is left behind.
//
// Start lets others run first, then keeps the loop's thread until the new program
// is in place, a millisecond or so. It runs on that thread, and not on one that may
// end at any time, because there are attributes which the kernel ties to the
// thread (PR_SET_PDEATHSIG in prctl(2)).
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

// attend starts the tasks that a running program needs. That which asks it to
// end is the only one to end with ctx.
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

// streams is the standard streams of a program that is being started: the files
// that were opened for it alone, our ends of its pipes, and what is to be copied.
type streams struct {
	ctx    context.Context
	theirs []*os.File
	ours   []*pipe
	copies []copyJob
}

// plumb decides what each of the program's standard streams is. The three that
// are nil, or files, need nothing from us.
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

// connect puts our end of a new pipe under the loop, and returns theirs.
func (s *streams) connect(p *pipe, ours, theirs int, err error) (*os.File, error) {
	if err != nil {
		return nil, fmt.Errorf("process: no pipe for %s: %w", p.name, err)
	}
	f := os.NewFile(uintptr(theirs), p.name)
	s.theirs = append(s.theirs, f)
	if err := p.open(s.ctx, ours); err != nil {
		return nil, fmt.Errorf("process: the pipe for %s can't be polled: %w", p.name, err)
	}
	s.ours = append(s.ours, p)
	return f, nil
}

// closeTheirs closes what only the program needs open: as long as we held it,
// its readers would see no end.
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

// same reports whether two writers are known to be one.
func same(a, b io.Writer) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
