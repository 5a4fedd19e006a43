package eddy_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/eddyio/eddy"
	"golang.org/x/sys/unix"
)

// A pipe is watched for data; another goroutine ends the wait.
func ExamplePoller() {
	p, err := eddy.NewPoller()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	var fds [2]int
	if err := errors.Join(unix.Pipe(fds[:]), unix.SetNonblock(fds[0], true)); err != nil {
		log.Fatal(err)
	}
	const token = 7
	if err := p.Add(fds[0], token); err != nil {
		log.Fatal(err)
	}
	unix.Write(fds[1], []byte("hello"))

	events, err := p.Wait(-1)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range events {
		fmt.Println("token", e.Token, "is readable:", e.Ready&eddy.Readable != 0)
	}

	go p.Wake()
	p.Wait(-1) // would sleep for ever
	fmt.Println("woken")

	p.Remove(fds[0]) // before closing
	unix.Close(fds[0])
	unix.Close(fds[1])
	// Output:
	// token 7 is readable: true
	// woken
}
