// Https serves HTTP/1.1 over TLS, until it is interrupted: it answers a request
// with the request's body. Without a certificate it makes one for this machine,
// which clients do not trust.
//
//	go run ./examples/https -addr 127.0.0.1:7443
//	curl --insecure --data hello https://127.0.0.1:7443/
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
	"github.com/eddyio/eddy/net/tls"
	"github.com/eddyio/eddy/reactor"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:7443", "address to listen on")
	cert := flag.String("cert", "", "PEM file of the certificate; empty: make one")
	key := flag.String("key", "", "PEM file of its key")
	perAddr := flag.Int("peraddr", 100, "most connections from one address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	err := reactor.Run(ctx, func(ctx context.Context) error {
		c, err := certificate(*cert, *key)
		if err != nil {
			return err
		}
		return serve(ctx, *addr, *perAddr, c, os.Stdout)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "https:", err)
		os.Exit(1)
	}
}

func certificate(certFile, keyFile string) (tls.Certificate, error) {
	if certFile == "" && keyFile == "" {
		return selfSigned()
	}
	return tls.LoadX509KeyPair(certFile, keyFile)
}

func serve(ctx context.Context, addr string, perAddr int, cert tls.Certificate, out io.Writer) error {
	ln, err := tls.Listen(ctx, "tcp", addr, &tls.Config{
		Certificates: []tls.Certificate{cert},
		NextProtos:   []string{"http/1.1"},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "listening on https://%v\n", ln.Addr())
	ln.(*tls.Listener).MaxHandshakes = 100
	s := (&net.Server{MaxConnsPerAddr: perAddr}).Defaults()
	defer context.AfterFunc(ctx, func() {
		fmt.Fprintf(os.Stderr, "https: %d connection(s) open: their requests have five seconds to end; interrupt again to end at once\n", s.Stats().Active)
	})()
	return s.Serve(ctx, ln, converse)
}
