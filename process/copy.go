package process

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/eddyio/eddy/reactor"
)

// A copyJob is what a task is to copy, from or to the program.
type copyJob struct {
	name string
	f    func(ctx context.Context) error
}

// A copying is a copyJob under way. It stands in a scope of its own, shielded even
// from the loop's end, so that a program which is asked to end can still say so:
// only supervise ends it before its time.
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
	c.task.OnDone(func() {}) // its error, or panic, is for Wait to tell
	return c
}

// stop ends the copying as soon as it would have to wait.
func (c *copying) stop() {
	if c.scope != nil {
		c.scope.Cancel(nil)
	}
}

// stopInput ends the copying to the program, which has ended.
func (cs copies) stopInput() {
	for _, c := range cs {
		if c.input {
			c.stop()
		}
	}
}

// await waits until all copying is over, and returns ctx's error if ctx is done
// before.
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

// err returns the first error of the copying, which is over.
func (cs copies) err() error {
	for _, c := range cs {
		if _, err := c.task.Result(); err != nil {
			return err
		}
	}
	return nil
}

// feed writes all that src has to the program. That the program does not read
// it all, or ends before, is no error: many do not care for their input.
func (w *writer) feed(ctx context.Context, src io.Reader) error {
	defer w.shut()
	_, err := io.Copy(w, src)
	if errors.Is(err, syscall.EPIPE) || ctx.Err() != nil {
		return nil
	}
	return err
}

// drain writes all that the program has to say to dst. When it is stopped, it
// still passes on what is in the pipe by then.
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

// rest reads without waiting. When there is nothing, that is the end.
func (r *reader) rest(p []byte) (int, error) {
	n, err := r.fd.ReadNow(p)
	if n == 0 && err == nil || err == os.ErrClosed {
		return 0, io.EOF
	}
	return n, r.failed("read", r.orEnd(err))
}
