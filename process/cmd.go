package process

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A Cmd is a program that is to be run, or runs, or has run: once. Its fields
// are set before it is started, and mean what those of [exec.Cmd] mean unless
// they say otherwise. It must not be copied.
type Cmd struct {
	Path string   // the program; a relative one is looked for in Dir
	Args []string // the arguments, the program's name first; nil means Path alone
	Env  []string // the environment, as key=value; nil means this program's own
	Dir  string   // where it runs; "" means where this program does

	// Stdin is what the program reads. An *os.File is handed to it as it is, nil
	// is an empty one. From any other Reader a task copies, until it ends or the
	// program has: so it must not block its goroutine, though it may suspend
	// the task, as eddy's conns and pipes do.
	Stdin io.Reader

	// Stdout and Stderr get what the program writes. An *os.File is handed to it
	// as it is, nil drops all. To any other Writer a task copies, which the
	// Writer may suspend but not block. If they are the same and comparable,
	// both go there through one pipe, in order.
	Stdout, Stderr io.Writer

	ExtraFiles  []*os.File           // further open files: file i becomes descriptor 3+i
	SysProcAttr *syscall.SysProcAttr // what only some systems have

	// Cancel asks the running program to end, when the ctx that it was started
	// with is done. nil sends SIGTERM. If it fails, other than by
	// os.ErrProcessDone, the program is killed at once. It is called on the
	// loop's thread and must not block.
	Cancel func() error

	// Grace is how long the program has, once it was asked to end, before it is
	// killed. 0 means three seconds; negative means not at all. The
	// loop's end waits no longer than its own grace time (reactor.Options.Grace),
	// and then kills what still runs, and complains: keep this below that.
	Grace time.Duration

	// Detached leaves the program alone when its ctx is done or the loop ends:
	// it may outlive both. Whoever reads its pipes is gone then, so give it
	// files. Until it ends, a goroutine outlives the loop, and reaps it.
	Detached bool

	// Err is why the program was not found, if it was not. Start returns it.
	Err error

	Process      *os.Process      // once started
	ProcessState *os.ProcessState // once it has ended

	stdin          *writer // what StdinPipe and its like have returned
	stdout, stderr *reader

	started bool
	reaper  *reactor.Task[*os.ProcessState] // nil until it runs
	copies  copies
	thread  *threadWait // see letGo
	cause   error       // why it was asked to end, or the copying was ended early
}

// Command returns a Cmd for a program, to be found as [exec.Command] finds it,
// and its arguments. It may be called from anywhere.
func Command(name string, args ...string) *Cmd {
	c := exec.Command(name, args...)
	return &Cmd{Path: c.Path, Args: c.Args, Err: c.Err}
}

// std returns what os/exec needs to know; the standard streams are plumb's.
func (c *Cmd) std() *exec.Cmd {
	return &exec.Cmd{
		Path: c.Path, Args: c.Args, Env: c.Env, Dir: c.Dir, Err: c.Err,
		ExtraFiles: c.ExtraFiles, SysProcAttr: c.SysProcAttr,
	}
}

// Run starts the program and waits until it has ended and all that it wrote is
// copied. The error is nil if it ended with status 0, an [*exec.ExitError] if it
// ended otherwise, and else what kept it from starting, or a copy from
// succeeding.
//
// When ctx is done, the program is asked to end, and then killed (see
// [Cmd.Cancel]); Run still waits for its end, but no longer for others that
// hold its pipes. The error is then ctx's, and the ExitError too, for errors.Is and
// errors.As. From a detached program Run returns at once.
func (c *Cmd) Run(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		return err
	}
	if !c.Detached {
		ctx = context.WithoutCancel(ctx) // supervise sees to the end
	}
	return c.Wait(ctx)
}
