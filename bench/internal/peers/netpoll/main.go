//go:build linux

// An echo server on netpoll, with one poller.
package main

import (
	"context"
	"log"

	"github.com/cloudwego/netpoll"

	"github.com/eddyio/eddy/bench/internal/serve"
)

func echo(_ context.Context, c netpoll.Connection) error {
	r, w := c.Reader(), c.Writer()
	data, err := r.Next(r.Len())
	if err != nil {
		return err
	}
	if _, err := w.WriteBinary(data); err != nil { // a large slice is not copied, and so
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return r.Release() // only after it is written
}

func main() {
	if err := netpoll.Configure(netpoll.Config{PollerNum: 1}); err != nil {
		log.Fatal(err)
	}
	ln, err := netpoll.CreateListener("tcp", serve.Addr)
	if err != nil {
		log.Fatal(err)
	}
	loop, err := netpoll.NewEventLoop(echo)
	if err != nil {
		log.Fatal(err)
	}
	serve.Listening(ln.Addr())
	log.Fatal(loop.Serve(ln))
}
