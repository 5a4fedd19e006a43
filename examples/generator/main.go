// Generator shows the smallest coroutine: it starts, waits for a value, and
// ends. It is driven by package coro alone; no loop is needed for that.
//
//	go run ./examples/generator
package main

import (
	"errors"
	"fmt"

	"github.com/eddyio/eddy/coro"
)

// simple yields once, to be sent a number: it hands out nothing, takes an int,
// and returns a string.
func simple(y *coro.Yielder[struct{}, int]) (string, error) {
	fmt.Println("-> coroutine started")
	x, err := y.Yield(struct{}{})
	if err != nil { // it is being closed, or an error was thrown at it
		return "", err
	}
	fmt.Println("-> coroutine received:", x)
	return "done", nil
}

func main() {
	c := coro.New(simple)
	c.Next() // as far as the first Yield

	// The body does not yield again but returns. To its driver that end is an
	// error, as StopIteration is in Python, and it carries what was returned.
	_, err := c.Send(10)
	fmt.Println("Send:", err)
	var end *coro.Return[string]
	if errors.As(err, &end) {
		fmt.Printf("it returned %q\n", end.Value)
	}
	_, err = c.Next()
	fmt.Println("Next:", err)
}
