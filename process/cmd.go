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

// A Cmd is a program to be run, once. Its fields must be set before Start, and
// mean what those of [exec.Cmd] mean unless documented otherwise. It must not
// be copied.
type Cmd struct {
	Path string   // the program; a relative one is looked for in Dir
	Args []string // the arguments, the program's name first; nil means Path alone
	Env  []string // the environment, as key=value; nil means this program's own
	Dir  string   // where it runs; "" means where this program does

	// Stdin is the program's standard input. An *os.File is passed to the
	// program, and nil means no input. From any other Reader a task copies,
	// until the input or the program ends: such a Reader may suspend the task,
	// as eddy's conns and pipes do, but must not block its goroutine.
	Stdin io.Reader

	// Stdout and Stderr receive what the program writes. An *os.File is passed
	// to the program, and nil discards the output. To any other Writer a task
	// copies, which the Writer may suspend but not block. If both are the same
	// comparable value, both streams share one pipe, which keeps their order.
	Stdout, Stderr io.Writer

	ExtraFiles  []*os.File           // further open files: file i becomes descriptor 3+i
	SysProcAttr *syscall.SysProcAttr // attributes specific to the system

	// Cancel asks the running program to end when the ctx passed to Start is
	// done. nil sends SIGTERM. If it returns an error other than
	// os.ErrProcessDone, the program is killed at once. It is called on the
	// loop's thread and must not block.
	Cancel func() error

	// Grace is how long the program may go on after it was asked to end, before
	// it is killed. 0 means three seconds; negative means that it is killed at
	// once. The loop's end waits no longer than the loop's own grace time
	// (reactor.Options.Grace), then kills programs that still run, and reports
	// them: so keep Grace below that.
	Grace time.Duration

	// Detached leaves the program running when its ctx is done or the loop
	// ends. Its pipes have no reader then, so give it files. A goroutine
	// outlives the loop until the program ends, and reaps it.
	Detached bool

	// Err is the error of looking for the program, if it was not found. Start
	// returns it.
	Err error

	Process      *os.Process      // once started
	ProcessState *os.ProcessState // once it has ended

	stdin          *writer // the results of StdinPipe, StdoutPipe and StderrPipe
	stdout, stderr *reader

	started bool
	reaper  *reactor.Task[*os.ProcessState] // nil until it runs
	copies  copies
	thread  *threadWait // see letGo
	cause   error       // why the program was asked to end, or copying was stopped early
}

// Command returns a Cmd for a program, which it looks up as [exec.Command]
// does, with arguments. It may be called from anywhere.
func Command(name string, args ...string) *Cmd {
	c := exec.Command(name, args...)
	return &Cmd{Path: c.Path, Args: c.Args, Err: c.Err}
}

// std returns the exec.Cmd to start, without standard streams: plumb sets
// those.
func (c *Cmd) std() *exec.Cmd {
	return &exec.Cmd{
		Path: c.Path, Args: c.Args, Env: c.Env, Dir: c.Dir, Err: c.Err,
		ExtraFiles: c.ExtraFiles, SysProcAttr: c.SysProcAttr,
	}
}

// Run starts the program and waits until it has ended and all its output is
// copied. The error is nil if the program ended with status 0, an
// [*exec.ExitError] if it ended otherwise, or the error of starting it or of
// copying.
//
// When ctx is done, the program is asked to end, and then killed (see
// [Cmd.Cancel]); Run still waits for its end, but no longer for other processes
// that hold its pipes. The error then wraps ctx's error and the ExitError. If
// the program is detached, Run returns at once.
func (c *Cmd) Run(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		return err
	}
	if !c.Detached {
		ctx = context.WithoutCancel(ctx) // supervise ends it
	}
	return c.Wait(ctx)
}
