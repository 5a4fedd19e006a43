// Package process answers: how does a task run another program, write its
// input, read its output, and learn how it ended? It is the standard library's
// os/exec for code that runs on a reactor: [Cmd] has the same names, with a ctx
// first, and a call that waits suspends the calling task, not its thread.
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
// A process belongs to the ctx that it was started with. When that is done, by
// a timeout, a cancellation or the loop's end, the process is asked to end
// ([Cmd.Cancel], by default SIGTERM), and killed if it still runs after
// [Cmd.Grace]. So no process outlives the loop, none is left as a zombie, and
// methods that run it, such as [Cmd.Run] and [Cmd.Output], return only when it
// is gone. Set [Cmd.Detached] for a process that should outlive its ctx and the
// loop.
//
// The ctx of [Cmd.Wait] limits only the waiting: a Wait that times out leaves
// the process running. All this, and Process.Kill, concerns the process itself
// and not its descendants. To signal them too, start it in a process group of
// its own (SysProcAttr.Setpgid) and set a Cancel that signals the group.
//
// # From which goroutine
//
// The methods of a Cmd may be called by tasks of the loop; those that take a
// ctx panic elsewhere. The pipes that [Cmd.StdinPipe], [Cmd.StdoutPipe] and
// [Cmd.StderrPipe] return may be used from anywhere once the command is
// started: they suspend a running task, and block any other goroutine, without
// needing a turn of the loop. Process.Signal and Process.Kill may be called
// from anywhere; once the process has ended they return [os.ErrProcessDone]. Do
// not call Process.Wait and Process.Release: the Cmd waits for the process.
//
// # Names in asyncio
//
//	create_subprocess_exec   Command, then Start
//	create_subprocess_shell  Command("sh", "-c", line)
//	stdin=PIPE, stdout=PIPE  StdinPipe, StdoutPipe
//	stdin=DEVNULL            Stdin: nil, the default
//	communicate(input)       Communicate, or Stdin set and Output
//	wait                     Wait
//	returncode               ProcessState
//	terminate, kill          Process.Signal, Process.Kill
//
// # What it leaves to others
//
// Packages os/exec and os find the program, make the process and read its
// status; package reactor waits for file descriptors.
package process
