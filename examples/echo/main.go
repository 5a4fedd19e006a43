// Echo serves TCP connections and sends back what they send, until it is
// interrupted.
//
//	go run ./examples/echo -addr 127.0.0.1:7000
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:7000", "address to listen on")
	perAddr := flag.Int("peraddr", 100, "most connections from one address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	err := reactor.Run(ctx, func(ctx context.Context) error { return serve(ctx, *addr, *perAddr) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, addr string, perAddr int) error {
	ln, err := net.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", ln.Addr())
	s := (&net.Server{MaxConnsPerAddr: perAddr}).Defaults()
	defer context.AfterFunc(ctx, func() {
		fmt.Fprintf(os.Stderr, "echo: %d connection(s) open: they have five seconds to end; interrupt again to end at once\n", s.Stats().Active)
	})()
	return s.Serve(ctx, ln, echo)
}

func echo(_ context.Context, c net.Conn) error {
	_, err := io.Copy(c, c)
	return err
}
