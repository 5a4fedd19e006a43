//go:build linux

// An echo server on eddy, with Serve, which has a task for each connection, or
// with ServeReady, which has one for each message.
package main

import (
	"context"
	"flag"
	"io"
	"log"

	"github.com/eddyio/eddy/bench/internal/serve"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

func main() {
	ready := flag.Bool("ready", false, "use ServeReady instead of Serve")
	size := flag.Int("buffer", 0, "with Serve, size of a connection's own buffer; 0 means io.Copy")
	flag.Parse()
	log.Fatal(reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", serve.Addr)
		if err != nil {
			return err
		}
		serve.Listening(ln.Addr())
		switch {
		case *ready:
			return net.ServeReady(ctx, ln, echoOnce)
		case *size > 0:
			return net.Serve(ctx, ln, func(_ context.Context, c net.Conn) error { return echo(c, make([]byte, *size)) })
		}
		return net.Serve(ctx, ln, copyBack)
	}))
}

func copyBack(_ context.Context, c net.Conn) error {
	_, err := io.Copy(c, c)
	return err
}

func echo(c net.Conn, buf []byte) error {
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}

func echoOnce(_ context.Context, c *net.ReadyConn) error {
	p, err := c.Borrow()
	if err != nil {
		return err
	}
	_, err = c.Write(p)
	return err
}
