package net_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A server whose idle connections hold neither a stack nor a buffer. A
// connection's state is in its field State: here, the beginning of a line.
func ExampleServeReady() {
	answer := func(ctx context.Context, c *net.ReadyConn) error {
		p, err := c.Borrow()
		if err != nil {
			return err // io.EOF: the peer is done
		}
		line, _ := c.State.([]byte)
		line = append(line, p...) // p is valid until the task suspends
		c.State = line
		if !bytes.HasSuffix(line, []byte("\n")) {
			return nil // until there is more
		}
		c.State = nil
		_, err = c.Write(bytes.ToUpper(line))
		return err
	}
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := reactor.Go(ctx, func(ctx context.Context) error { return net.ServeReady(ctx, ln, answer) })
		c, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		fmt.Fprint(c, "hel")
		fmt.Fprint(c, "lo\n")
		line, err := bufio.NewReader(c).ReadString('\n')
		fmt.Print(line)
		c.Close()
		ln.Close()
		return errors.Join(err, server.Wait(ctx))
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: HELLO
}

// A task that writes to many peers can't wait for each: a Writer buffers what a
// slow peer does not take yet, and returns an error when it is too much.
func ExampleWriter() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		slow, err := net.Dial(ctx, "tcp", ln.Addr().String()) // and never reads
		if err != nil {
			return err
		}
		defer slow.Close()
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		defer c.Close()

		w := net.NewWriter(ctx, c)
		message := make([]byte, 64<<10)
		for err == nil {
			_, err = w.Write(message) // never waits
		}
		fmt.Println(errors.Is(err, net.ErrWriterFull), w.Buffered() <= w.Limit)
		err = reactor.Timeout(ctx, time.Millisecond, w.Drain)
		fmt.Println(errors.Is(err, context.DeadlineExceeded))
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// true true
	// true
}
