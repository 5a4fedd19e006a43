//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"log"
	stdnet "net"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// serveMain is a server, as a process of its own.
func serveMain(args []string) {
	switch args[0] {
	case "eddy":
		log.Fatal(reactor.Run(context.Background(), serveEddy))
	case "net":
		log.Fatal(serveNet())
	}
	log.Fatalf("no server %q", args[0])
}

func serveEddy(ctx context.Context) error {
	ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", ln.Addr())
	return net.Serve(ctx, ln, func(_ context.Context, c net.Conn) error {
		_, err := io.Copy(c, c)
		return err
	})
}

// serveNet reads and writes as the others do: io.Copy between two TCP
// connections would splice(2), which pays for large transfers alone.
func serveNet() error {
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", ln.Addr())
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 64<<10)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}
