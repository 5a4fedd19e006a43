//go:build linux

// Package serve is the common part of the servers in Go: they print their
// address, and collect garbage on request.
package serve

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Addr is the address to listen on: the kernel chooses the port.
const Addr = "127.0.0.1:0"

// Listening prints the server's address on standard output. From then on the
// signal SIGUSR2 makes the server collect garbage, return free memory, and
// print a line.
func Listening(addr net.Addr) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	go func() {
		for range signals {
			debug.FreeOSMemory()
			fmt.Println("collected")
		}
	}()
	fmt.Println("listening on", addr)
}
