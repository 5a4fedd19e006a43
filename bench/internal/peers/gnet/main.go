//go:build linux

// An echo server on gnet, with one event loop.
package main

import (
	"log"
	"net"
	"os"

	"github.com/panjf2000/gnet/v2"

	"github.com/eddyio/eddy/bench/internal/serve"
)

type echo struct{ gnet.BuiltinEventEngine }

func (*echo) OnBoot(eng gnet.Engine) gnet.Action {
	fd, err := eng.Dup()
	if err != nil {
		log.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	ln, err := net.FileListener(file)
	if err != nil {
		log.Fatal(err)
	}
	serve.Listening(ln.Addr())
	ln.Close()
	return gnet.None
}

func (*echo) OnTraffic(c gnet.Conn) gnet.Action {
	buf, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(buf); err != nil {
		return gnet.Close
	}
	return gnet.None
}

// logger logs only errors: gnet's own logger writes to standard output when it
// starts.
type logger struct{}

func (logger) Debugf(string, ...any)             {}
func (logger) Infof(string, ...any)              {}
func (logger) Warnf(string, ...any)              {}
func (logger) Errorf(format string, args ...any) { log.Printf(format, args...) }
func (logger) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

func main() {
	log.Fatal(gnet.Run(&echo{}, "tcp://"+serve.Addr, gnet.WithNumEventLoop(1), gnet.WithReadBufferCap(64<<10),
		gnet.WithTCPNoDelay(gnet.TCPNoDelay),
		gnet.WithLogger(logger{})))
}
