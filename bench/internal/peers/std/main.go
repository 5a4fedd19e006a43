//go:build linux

// An echo server on Go's net, a goroutine and a buffer for each connection.
//
// It reads and writes like the others. io.Copy between TCP connections would
// use splice(2), which pays only for large transfers; a flag selects it.
package main

import (
	"flag"
	"io"
	"log"
	"net"

	"github.com/eddyio/eddy/bench/internal/serve"
)

func main() {
	size := flag.Int("buffer", 64<<10, "size of a connection's buffer; 0 means io.Copy")
	flag.Parse()
	handler := func(c net.Conn) { io.Copy(c, c) }
	if *size > 0 {
		handler = func(c net.Conn) { echo(c, make([]byte, *size)) }
	}
	ln, err := net.Listen("tcp", serve.Addr)
	if err != nil {
		log.Fatal(err)
	}
	serve.Listening(ln.Addr())
	for {
		c, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer c.Close()
			handler(c)
		}()
	}
}

func echo(c net.Conn, buf []byte) {
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}
