package process

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/eddyio/eddy/reactor"
)

// A copyJob describes a task that copies from or to the program.
type copyJob struct {
	name string
	f    func(ctx context.Context) error
}

// A copying is a copyJob in progress. It runs in a scope of its own, shielded
// even from the loop's end, so that a program that was asked to end can still
// write output: only supervise stops it early.
type copying struct {
	input bool
	task  *reactor.Task[struct{}]
	scope *reactor.CancelScope // nil if the loop was being cut off
}

type copies []*copying

func (j copyJob) start(ctx context.Context, process string) *copying {
	c := &copying{input: j.name == "stdin"}
	c.task = reactor.GoNow(ctx, func(ctx context.Context) error {
		return reactor.Scope(context.WithoutCancel(ctx), func(ctx context.Context, s *reactor.CancelScope) error {
			c.scope = s
			return j.f(ctx)
		})
	})
	c.task.SetName("copying " + j.name + " of " + process)
	c.task.OnDone(func() {}) // Wait returns its error or panic
	return c
}

// stop ends the copying as soon as it has to wait.
func (c *copying) stop() {
	if c.scope != nil {
		c.scope.Cancel(nil)
	}
}

// stopInput stops copying to the program, which has ended.
func (cs copies) stopInput() {
	for _, c := range cs {
		if c.input {
			c.stop()
		}
	}
}

// await waits until all copying is over, and returns ctx's error if ctx is done
// first.
func (cs copies) await(ctx context.Context) error {
	for _, c := range cs {
		if err := c.task.Wait(ctx); !c.task.Finished() {
			return err
		}
	}
	return nil
}

// stop ends all copying.
func (cs copies) stop() {
	for _, c := range cs {
		c.stop()
	}
}

// err returns the first error of the copying, which must be over.
func (cs copies) err() error {
	for _, c := range cs {
		if _, err := c.task.Result(); err != nil {
			return err
		}
	}
	return nil
}

// feed copies src to the program. It is not an error if the program does not
// read it all: many ignore their input.
func (w *writer) feed(ctx context.Context, src io.Reader) error {
	defer w.shut()
	_, err := io.Copy(w, src)
	if errors.Is(err, syscall.EPIPE) || ctx.Err() != nil {
		return nil
	}
	return err
}

// drain copies the program's output to dst. When it is stopped, it still copies
// what is in the pipe.
func (r *reader) drain(ctx context.Context, dst io.Writer) error {
	defer r.shut()
	_, err := r.copyTo(dst, func(p []byte) (int, error) {
		n, err := r.Read(p)
		if err != nil && ctx.Err() != nil {
			return r.rest(p)
		}
		return n, err
	})
	return err
}

// rest reads without waiting, and returns io.EOF if there is nothing.
func (r *reader) rest(p []byte) (int, error) {
	n, err := r.fd.ReadNow(p)
	if n == 0 && err == nil || err == os.ErrClosed {
		return 0, io.EOF
	}
	return n, r.failed("read", r.orEnd(err))
}
