package net

import (
	"fmt"
	stdnet "net"
	"os"
	"strings"
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

// TestAbstractNamesAsStd has abstract names of every length, and such as are
// written with the zero byte itself.
func TestAbstractNamesAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, first := range []string{"@", "\x00"} {
			for _, length := range []int{1, 2, 30, 106, 107, 108, 109, 200} {
				name := first + strings.Repeat("x", length-1)
				what := fmt.Sprintf("%q %d", first, length)
				w.abstract(what, name)
			}
		}
	})
}

func (w *world) abstract(what, name string) {
	ln, err := w.listenUnix("unix", &UnixAddr{Name: name, Net: "unix"})
	w.note("listen "+what, err)
	c, dialErr := w.dialUnix("unix", nil, &UnixAddr{Name: name, Net: "unix"})
	w.note("dial "+what, dialErr)
	if dialErr == nil {
		w.note("at", nil, exactAddr(c.LocalAddr()), exactAddr(c.RemoteAddr()))
		c.Close()
	}
	if err == nil {
		w.note("at", nil, exactAddr(ln.Addr()))
		w.must(ln.Close())
	}
	a, err := w.listenUnixgram("unixgram", &UnixAddr{Name: name, Net: "unixgram"})
	w.note("listen gram "+what, err)
	b, bErr := w.dialUnix("unixgram", &UnixAddr{Name: unixPath(w.t), Net: "unixgram"}, nil)
	w.must(bErr)
	defer b.Close()
	n, writeErr := b.WriteTo([]byte("hello"), &UnixAddr{Name: name, Net: "unixgram"})
	w.note("WriteTo "+what, writeErr, n)
	if err != nil {
		return
	}
	defer a.Close()
	if writeErr == nil {
		n, _, err = a.ReadFrom(make([]byte, 8))
		w.note("ReadFrom", err, n)
	}
	_, err = a.WriteTo([]byte("back"), b.LocalAddr())
	w.note("WriteTo", err)
	if err == nil {
		_, from, err := b.ReadFrom(make([]byte, 8))
		w.note("ReadFrom", err, exactAddr(from))
	}
}
