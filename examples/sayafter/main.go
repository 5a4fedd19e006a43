// Sayafter says two things, each after a delay, in two ways: one after the
// other, which takes three seconds, and concurrently, which takes two.
//
//	go run ./examples/sayafter
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// second is a variable so that tests can shorten it.
var second = time.Second

func sayAfter(ctx context.Context, delay time.Duration, what string) error {
	if err := reactor.Sleep(ctx, delay); err != nil {
		return err
	}
	fmt.Println(what)
	return nil
}

// sequential awaits one coroutine after the other. To await is to call.
func sequential(ctx context.Context) error {
	if err := sayAfter(ctx, 1*second, "Bob"); err != nil {
		return err
	}
	return sayAfter(ctx, 2*second, "welch")
}

// concurrent makes each a task, and awaits both.
func concurrent(ctx context.Context) error {
	bob := reactor.Go(ctx, func(ctx context.Context) error { return sayAfter(ctx, 1*second, "Bob") })
	welch := reactor.Go(ctx, func(ctx context.Context) error { return sayAfter(ctx, 2*second, "welch") })
	return errors.Join(bob.Wait(ctx), welch.Wait(ctx))
}

func main() {
	err := errors.Join(timed("sequential", sequential), timed("concurrent", concurrent))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sayafter:", err)
		os.Exit(1)
	}
}

// timed runs a program on its own loop and prints when it began and ended.
func timed(name string, program func(ctx context.Context) error) error {
	start := time.Now()
	fmt.Printf("%s:\nstarted at %s\n", name, start.Format(time.TimeOnly))
	err := reactor.Run(context.Background(), program)
	end := time.Now()
	fmt.Printf("finished at %s, after %.3f s\n", end.Format(time.TimeOnly), end.Sub(start).Seconds())
	return err
}
