// Generator shows the smallest coroutine: it starts, waits for a value, and
// ends. It needs only package coro, and no loop.
//
//	go run ./examples/generator
package main

import (
	"errors"
	"fmt"

	"github.com/eddyio/eddy/coro"
)

// simple yields once, to receive a number: it yields no value, receives an int,
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
	c.Next() // up to the first Yield

	// The body returns instead of yielding again. Its driver gets that as an
	// error, like StopIteration in Python, which holds the result.
	_, err := c.Send(10)
	fmt.Println("Send:", err)
	var end *coro.Return[string]
	if errors.As(err, &end) {
		fmt.Printf("it returned %q\n", end.Value)
	}
	_, err = c.Next()
	fmt.Println("Next:", err)
}
