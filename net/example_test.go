package net_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// An echo server and a client, tasks of one loop.
func ExampleServe() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := reactor.Go(ctx, func(ctx context.Context) error {
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
		})
		c, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		fmt.Fprintln(c, "hello")
		line, err := bufio.NewReader(c).ReadString('\n')
		fmt.Print(line)
		c.Close()
		ln.Close()
		return errors.Join(err, server.Wait(ctx))
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: hello
}

// A scope bounds everything in it: here, reading a whole message, however
// slowly its bytes come.
func ExampleConn_timeout() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		c, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		return reactor.Timeout(ctx, time.Millisecond, func(context.Context) error {
			_, err := io.ReadFull(c, make([]byte, 100))
			return err
		})
	})
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// A server that is stopped lets its handlers finish, for a time.
func ExampleServer() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		handler := func(ctx context.Context, c net.Conn) error {
			fmt.Fprintln(c, "slowly,")
			if err := reactor.Sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c, "but surely")
			return err
		}
		s := &net.Server{
			Grace: 10 * time.Second}
		server := reactor.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, ln, handler) })
		c, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(c)
		for lines.Scan() {
			fmt.Println(lines.Text())
			server.Cancel(nil) // the first line is there, the second will be
		}
		return server.Wait(ctx)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// slowly,
	// but surely
}
