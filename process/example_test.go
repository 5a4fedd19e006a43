package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os/exec"
	"time"

	"github.com/eddyio/eddy/process"
	"github.com/eddyio/eddy/reactor"
)

func ExampleCmd_Output() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		out, err := process.Command("echo", "hello").Output(ctx)
		fmt.Printf("%q\n", out)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: "hello\n"
}

func ExampleCmd_Communicate() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		stdout, _, err := process.Command("tr", "a-z", "A-Z").Communicate(ctx, []byte("shout"))
		fmt.Printf("%s\n", stdout)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: SHOUT
}

// A program that takes too long is ended; when Run returns it has exited.
func ExampleCmd_Run_timeout() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		sleep := process.Command("sleep", "60")
		err := reactor.Timeout(ctx, 10*time.Millisecond, sleep.Run)
		fmt.Println(err)
		fmt.Println(errors.Is(err, context.DeadlineExceeded))
		var exit *exec.ExitError
		fmt.Println(errors.As(err, &exit))
		return nil
	})
	// Output:
	// context deadline exceeded (signal: terminated)
	// true
	// true
}

// A Wait that times out leaves the program running.
func ExampleCmd_Wait() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		sleep := process.Command("sleep", "60")
		if err := sleep.Start(ctx); err != nil {
			return err
		}
		err := reactor.Timeout(ctx, 10*time.Millisecond, sleep.Wait)
		fmt.Println(err, "-", sleep.ProcessState)
		sleep.Process.Kill()
		fmt.Println(sleep.Wait(ctx))
		return nil
	})
	// Output:
	// context deadline exceeded - <nil>
	// signal: killed
}

// A dialogue with a program that keeps running.
func ExampleCmd_StdinPipe() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		cat := process.Command("cat")
		in, err := cat.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cat.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cat.Start(ctx); err != nil {
			return err
		}
		lines := bufio.NewReader(out)
		for _, word := range []string{"one", "two"} {
			fmt.Fprintln(in, word)
			line, err := lines.ReadString('\n')
			if err != nil {
				return err
			}
			fmt.Print(line)
		}
		in.Close() // cat ends
		_, err = io.Copy(io.Discard, out)
		return errors.Join(err, cat.Wait(ctx))
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// one
	// two
}
