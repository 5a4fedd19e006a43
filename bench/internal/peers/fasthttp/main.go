//go:build linux

// An HTTP server on fasthttp that answers with 1 KiB: on Go's net, or on eddy's
// connections, which fasthttp uses as net.Conns.
package main

import (
	"context"
	"flag"
	"log"
	stdnet "net"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/eddyio/eddy/bench/internal/serve"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

func main() {
	on := flag.String("on", "eddy", "connections to use: eddy or net")
	flag.Parse()
	body := []byte(strings.Repeat("x", 1<<10))
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("text/plain")
		ctx.SetBody(body)
	}}
	if *on == "net" {
		log.Fatal(onNet(server))
	}
	log.Fatal(reactor.Run(context.Background(), func(ctx context.Context) error { return onEddy(ctx, server) }))
}

func onEddy(ctx context.Context, server *fasthttp.Server) error {
	ln, err := net.Listen(ctx, "tcp", serve.Addr)
	if err != nil {
		return err
	}
	serve.Listening(ln.Addr())
	return net.Serve(ctx, ln, func(_ context.Context, c net.Conn) error { return server.ServeConn(c) })
}

func onNet(server *fasthttp.Server) error {
	ln, err := stdnet.Listen("tcp", serve.Addr)
	if err != nil {
		return err
	}
	serve.Listening(ln.Addr())
	return server.Serve(ln)
}
