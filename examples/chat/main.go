// Chat is a chat room on a TCP port, for programs such as nc or telnet: each
// line that a member types is sent to all others. It runs until it is
// interrupted.
//
//	go run ./examples/chat -addr 127.0.0.1:7001
//
// With -shards 0 it uses all cores, with -shards 4 four of them.
//
// With -inspect 127.0.0.1:6060 its tasks can be seen at that address, in a browser or with
// cmd/eddy.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/eddyio/eddy/inspect"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:7001", "address to listen on")
	inspectAddr := flag.String("inspect", "", "address of the page that shows the program's tasks")
	shards := flag.Int("shards", 1, "loops to run on; 0: one for each core")
	flag.Parse()
	if *inspectAddr != "" {
		go func() { // a goroutine, so that it answers even if the loop does not
			fmt.Fprintln(os.Stderr, "chat:", http.ListenAndServe(*inspectAddr, inspect.Handler()))
		}()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	run := func() error { return serveAll(ctx, *shards, *addr, os.Stdout) }
	if *shards == 1 {
		run = func() error {
			return reactor.Run(ctx, func(ctx context.Context) error { return serve(ctx, *addr, os.Stdout) })
		}
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, addr string, out io.Writer) error {
	ln, err := net.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "listening on", ln.Addr())
	return newServer().Serve(ctx, ln, newRoom().visit)
}

func newServer() *net.Server {
	return (&net.Server{
		Grace:          -1, // members never leave by themselves, so do not wait for them
		IdleTimeout:    -1, // members may be silent for as long as they like
		MessageTimeout: -1, // and lines get no answers
	}).Defaults()
}
