//go:build linux

// Package serve is what the servers written in Go have in common: they say where
// they listen, and collect their garbage when they are asked to. What a server
// does with its connections is its own.
package serve

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Addr is where servers listen: on a port that the kernel chooses.
const Addr = "127.0.0.1:0"

// Listening says on standard output where the server listens. From then on the
// signal SIGUSR2 makes it collect garbage, give free memory back, and say so.
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
