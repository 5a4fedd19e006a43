package net

import (
	"fmt"
	stdnet "net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func (w *world) options(c Conn) {
	for _, o := range []struct {
		name      string
		level, id int
	}{
		{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY},
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE},
		{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
		{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
		{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
	} {
		w.note(o.name, nil, option(w.t, c, o.level, o.id))
	}
}

// onTCPHere are the options as this kernel names them.
var onTCPHere = []step{
	{"defaults", func(w *world, c Conn, peer stdnet.Conn) { w.options(c) }},
	{"options", func(w *world, c Conn, peer stdnet.Conn) {
		o := c.(tcpOptions)
		w.note("SetNoDelay", o.SetNoDelay(false))
		w.note("SetKeepAlivePeriod", o.SetKeepAlivePeriod(1500*time.Millisecond))
		w.note("TCP_KEEPIDLE", nil, option(w.t, c, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE))
		w.note("SetKeepAlive", o.SetKeepAlive(false))
		w.note("TCP_NODELAY", nil, option(w.t, c, unix.IPPROTO_TCP, unix.TCP_NODELAY))
		w.note("SO_KEEPALIVE", nil, option(w.t, c, unix.SOL_SOCKET, unix.SO_KEEPALIVE))
		w.note("SetNoDelay", o.SetNoDelay(true))
		w.note("SetKeepAlive", o.SetKeepAlive(true))
		w.options(c)
	}},
}

func TestAbstractUnixAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		ln, err := w.listen(w.ctx, "unix", fmt.Sprint("@eddy-net-test-", os.Getpid()))
		w.must(err)
		defer ln.Close()
		c, err := w.dial(w.ctx, "unix", ln.Addr().String())
		w.must(err)
		defer c.Close()
		p, err := ln.Accept()
		w.must(err)
		defer p.Close()
		w.note("addresses", nil, ln.Addr(), c.LocalAddr(), c.RemoteAddr(), p.LocalAddr(), p.RemoteAddr())
	})
}
