//go:build linux

// An HTTP server on net/http that answers with 1 KiB.
package main

import (
	"log"
	"net"
	"net/http"
	"strings"

	"github.com/eddyio/eddy/bench/internal/serve"
)

func main() {
	ln, err := net.Listen("tcp", serve.Addr)
	if err != nil {
		log.Fatal(err)
	}
	serve.Listening(ln.Addr())
	body := []byte(strings.Repeat("x", 1<<10))
	log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write(body)
	})))
}
