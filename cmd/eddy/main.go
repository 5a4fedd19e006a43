// Eddy answers: what do the tasks of a running program do, and why is its loop slow?
// It asks a program that imports package inspect, and prints the answer.
//
//	eddy ps [address]                        each task: what it waits for, since when
//	eddy pstree [-all] [address]             the tree of tasks; many siblings of one function are a line
//	eddy top [-every 1s] [-n N] [address]    the loops and their longest waits, again and again
//	eddy stack -task N [-loop N] [address]   where a task is
//	eddy trace [-seconds 5] [address] >out   what happens, for ui.perfetto.dev
//
// The address is host:port, a URL if the program has mounted inspect.Handler somewhere
// else, or the path of a Unix socket. Without one it is that of the environment variable
// EDDYINSPECT, with which the program may have been started.
//
// The exit status is 1 if the program could not be asked, and 2 for wrong usage. What
// tasks and peers can name is printed without control characters.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `Eddy looks inside a running program that imports package inspect.

  eddy ps [address]                        each task: what it waits for, since when
  eddy pstree [-all] [address]             the tree of tasks; many siblings of one function are a line
  eddy top [-every 1s] [-n N] [address]    the loops and the longest waits, again and again
  eddy stack -task N [-loop N] [address]   where a task is
  eddy trace [-seconds 5] [address] >out   what happens, for ui.perfetto.dev

The address is host:port, a URL, or the path of a Unix socket. Without one it is that of
the environment variable EDDYINSPECT.
`

// envAddress is where a program that imports inspect listens, if it is set.
const envAddress = "EDDYINSPECT"

// errUsage is the error of a command line that makes no sense.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "eddy: %s\n\n%s", plain(err.Error()), usage)
		os.Exit(2)
	case err != nil:
		if ctx.Err() == nil { // else the user knows why
			fmt.Fprintln(os.Stderr, "eddy:", plain(err.Error()))
		}
		os.Exit(1)
	}
}

// run carries out a command line.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: say what to do", errUsage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var do func(*target) error
	switch args[0] {
	case "ps":
		do = func(t *target) error { return ps(ctx, t, out) }
	case "pstree":
		all := flags.Bool("all", false, "")
		do = func(t *target) error { return pstree(ctx, t, out, *all) }
	case "top":
		every := flags.Duration("every", time.Second, "")
		n := flags.Int("n", 0, "")
		do = func(t *target) error {
			if *every < 100*time.Millisecond {
				return fmt.Errorf("%w: -every is at least 100ms", errUsage)
			}
			return top(ctx, t, out, *every, *n)
		}
	case "stack":
		loop, task := flags.Uint64("loop", 0, ""), flags.Uint64("task", 0, "")
		do = func(t *target) error {
			if *task == 0 {
				return fmt.Errorf("%w: say which task, with -task", errUsage)
			}
			return stack(ctx, t, out, *loop, *task)
		}
	case "trace":
		seconds := flags.Float64("seconds", 5, "")
		do = func(t *target) error {
			if !(*seconds > 0 && *seconds <= 300) {
				return fmt.Errorf("%w: -seconds is more than 0, and at most 300", errUsage)
			}
			return trace(ctx, t, out, *seconds)
		}
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(out, usage)
		return err
	default:
		return fmt.Errorf("%w: there is no command %q", errUsage, args[0])
	}
	switch err := flags.Parse(args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		_, err := io.WriteString(out, usage)
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errUsage, err)
	case flags.NArg() > 1:
		return fmt.Errorf("%w: one address at most, after the options", errUsage)
	}
	address := flags.Arg(0)
	if address == "" {
		address = os.Getenv(envAddress)
	}
	if address == "" {
		return fmt.Errorf("%w: say which program, by its address or by %s", errUsage, envAddress)
	}
	t, err := newTarget(address)
	if err != nil {
		return err
	}
	return do(t)
}
