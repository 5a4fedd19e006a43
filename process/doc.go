// Package process answers: how does a task run another program, feed it, read
// what it says, and learn how it ended? It is the standard library's os/exec for
// code that runs on a reactor: [Cmd] bears the same names, with a ctx first, and
// what has to wait suspends the calling task and not its thread.
//
//	err := reactor.Run(ctx, func(ctx context.Context) error {
//		out, err := process.Command("git", "describe").Output(ctx)
//		if err != nil {
//			return err
//		}
//		fmt.Printf("version %s", out)
//		return nil
//	})
//
// # How long a process lives
//
// A process belongs to the ctx that it was started with. When that is done, be it
// a timeout, a cancellation or the loop's end, the process is asked to end
// ([Cmd.Cancel], SIGTERM unless set), and killed if it still runs after
// [Cmd.Grace]. So no process outlives the loop, none is left as a zombie, and
// [Cmd.Run], [Cmd.Output] and their like return only when it is gone. A process
// that is to outlive its ctx, and the loop, says so: [Cmd.Detached].
//
// A ctx given to [Cmd.Wait] bounds the waiting and no more: a Wait that times out
// leaves the process alone. Only the process itself is meant, here and by
// Process.Kill, never its descendants; to signal them too, start it in a process
// group of its own (SysProcAttr.Setpgid) and have Cancel signal the group.
//
// # From which goroutine
//
// The methods of a Cmd may be called by tasks of the loop; those that take a ctx
// panic elsewhere. The pipes that [Cmd.StdinPipe] and its like return may be used
// from anywhere once the command is started: the running task they suspend, and any
// other goroutine they block, which needs no turn of the loop.
// Process.Signal and Process.Kill may be called from anywhere; once the process has
// ended they return [os.ErrProcessDone]. Process.Wait and Process.Release are not
// for callers: the Cmd does the waiting.
//
// # For those who know asyncio
//
//	create_subprocess_exec   Command, then Start
//	create_subprocess_shell  Command("sh", "-c", line)
//	stdin=PIPE, stdout=PIPE  StdinPipe, StdoutPipe
//	stdin=DEVNULL            Stdin: nil, as it is
//	communicate(input)       Communicate, or Stdin set and Output
//	wait                     Wait
//	returncode               ProcessState
//	terminate, kill          Process.Signal, Process.Kill
//
// # What it leaves to others
//
// Finding the program, making the process and reading its status is os/exec's and
// os's business, waiting for file descriptors package reactor's.
package process
