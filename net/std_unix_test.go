package net

import (
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// gram is a pair of "unixgram" sockets that are bound to names.
func (w *world) grams() (a, b unixSocket) {
	a, err := w.listenUnixgram("unixgram", &UnixAddr{Name: unixPath(w.t), Net: "unixgram"})
	w.must(err)
	b, err = w.listenUnixgram("unixgram", &UnixAddr{Name: unixPath(w.t), Net: "unixgram"})
	w.must(err)
	return a, b
}

type unixStep struct {
	name string
	do   func(w *world, a, b unixSocket)
}

func unixAddr(c Conn) *UnixAddr { return c.LocalAddr().(*UnixAddr) }

var onUnixgram = []unixStep{
	{"all ways to read and write", func(w *world, a, b unixSocket) {
		p := make([]byte, 16)
		writes := []func() (int, error){
			func() (int, error) { return a.WriteTo([]byte("WriteTo"), b.LocalAddr()) },
			func() (int, error) { return a.WriteToUnix([]byte("WriteToUnix"), unixAddr(b)) },
			func() (int, error) {
				n, oobn, err := a.WriteMsgUnix([]byte("Msg"), nil, unixAddr(b))
				return n + oobn, err
			},
		}
		for i, write := range writes {
			n, err := write()
			w.tell(fmt.Sprint("write ", i), err, n)
			n, from, err := b.ReadFrom(p)
			w.tell("ReadFrom", err, n, string(p[:n]), from.String() == a.LocalAddr().String(), from.Network())
			write()
			n, addr, err := b.ReadFromUnix(p)
			w.tell("ReadFromUnix", err, n, string(p[:n]), addr.String() == a.LocalAddr().String())
			write()
			n, oobn, flags, addr, err := b.ReadMsgUnix(p, nil)
			w.tell("ReadMsgUnix", err, n, oobn, flags, string(p[:n]), addr.String() == a.LocalAddr().String())
			write()
			n, err = b.Read(p)
			w.tell("Read", err, n, string(p[:n]))
		}
	}},
	{"empty datagrams", func(w *world, a, b unixSocket) {
		for range 4 {
			n, err := a.WriteTo(nil, b.LocalAddr())
			w.tell("write", err, n)
		}
		p := make([]byte, 8)
		n, err := b.Read(p)
		w.tell("Read", err, n)
		n, err = b.Read(nil)
		w.tell("Read(nil)", err, n)
		n, from, err := b.ReadFrom(nil)
		w.tell("ReadFrom(nil)", err, n, from.String() == a.LocalAddr().String())
		n, _, _, _, err = b.ReadMsgUnix(nil, nil)
		w.tell("ReadMsgUnix(nil, nil)", err, n)
		n, _, _, _, err = b.ReadMsgUnix(nil, make([]byte, 64))
		w.tell("ReadMsgUnix(nil)", err, n)
	}},
	{"truncation", func(w *world, a, b unixSocket) {
		for range 2 {
			a.WriteTo([]byte("long"), b.LocalAddr())
		}
		p := make([]byte, 2)
		n, _, flags, _, err := b.ReadMsgUnix(p, nil)
		w.tell("ReadMsgUnix", err, n, flags&unix.MSG_TRUNC != 0, string(p))
		n, _, err = b.ReadFrom(p)
		w.tell("ReadFrom", err, n)
	}},
	{"addresses that do not serve", func(w *world, a, b unixSocket) {
		name := unixAddr(b).Name
		for i, addr := range []Addr{nil, &TCPAddr{}, (*UnixAddr)(nil), &UnixAddr{Name: name, Net: "unix"}, &UnixAddr{Name: name},
			&UnixAddr{Net: "unixgram"}, &UnixAddr{Name: name + "nobody", Net: "unixgram"}, &UnixAddr{Name: strings.Repeat("x", 200), Net: "unixgram"}} {
			n, err := a.WriteTo([]byte("x"), addr)
			w.tell(fmt.Sprint("WriteTo ", i), err, n)
			if u, ok := addr.(*UnixAddr); ok {
				n, _, err := a.WriteMsgUnix([]byte("x"), nil, u)
				w.tell(fmt.Sprint("WriteMsgUnix ", i), err, n)
			}
		}
		n, err := a.Write([]byte("x"))
		w.tell("Write", err, n)
		w.must(b.Close())
		n, err = a.WriteTo([]byte("x"), &UnixAddr{Name: name, Net: "unixgram"})
		w.tell("nobody listens", err, n)
	}},
	{"connected", func(w *world, a, b unixSocket) {
		c, err := w.dialUnix("unixgram", nil, unixAddr(a))
		w.must(err)
		defer c.Close()
		w.note("addresses", nil, c.LocalAddr(), c.RemoteAddr().String() == a.LocalAddr().String(), a.RemoteAddr() == nil)
		n, err := c.Write([]byte("hello"))
		w.tell("Write", err, n)
		n, from, err := a.ReadFrom(make([]byte, 8))
		w.tell("ReadFrom", err, n, from == nil)
		n, addr, err := func() (int, *UnixAddr, error) { c.Write([]byte("x")); return a.ReadFromUnix(make([]byte, 8)) }()
		w.tell("ReadFromUnix", err, n, addr == nil)
		n, err = c.WriteTo([]byte("x"), a.LocalAddr())
		w.tell("WriteTo", err, n)
		n, err = c.WriteToUnix([]byte("x"), nil)
		w.tell("WriteToUnix nil", err, n)
		n, _, err = c.WriteMsgUnix([]byte("x"), nil, nil)
		w.tell("WriteMsgUnix nil", err, n)
		n, _, err = c.WriteMsgUnix([]byte("x"), nil, unixAddr(a))
		w.tell("WriteMsgUnix", err, n)
		a.Close()
		n, err = c.Write([]byte("x"))
		w.tell("Write to the closed", err, n)
		n, err = c.Write([]byte("x"))
		w.tell("Write to the closed", err, n)
	}},
	{"a name and no peer", func(w *world, a, b unixSocket) {
		path := unixPath(w.t)
		c, err := w.dialUnix("unixgram", &UnixAddr{Name: path, Net: "unixgram"}, nil)
		w.tell("dial", err)
		w.note("addresses", nil, c.LocalAddr().String() == path, c.RemoteAddr() == nil)
		n, err := c.WriteTo([]byte("x"), a.LocalAddr())
		w.tell("WriteTo", err, n)
		_, from, err := a.ReadFrom(make([]byte, 8))
		w.tell("ReadFrom", err, from.String() == path)
		w.note("close", c.Close())
		w.note("its file stays", nil, exists(path))
	}},
	{"CloseRead and CloseWrite", func(w *world, a, b unixSocket) {
		c, err := w.dialUnix("unixgram", nil, unixAddr(a))
		w.must(err)
		defer c.Close()
		w.note("CloseRead", c.CloseRead())
		c.SetReadDeadline(soon()) // a datagram socket has no end of file
		n, err := c.Read(make([]byte, 8))
		w.tell("Read", err, n)
		n, _, err = c.ReadFrom(make([]byte, 8))
		w.tell("ReadFrom", err, n)
		w.note("CloseWrite", c.CloseWrite())
		n, err = c.Write([]byte("x"))
		w.tell("Write", err, n)
		w.note("CloseRead of one that has no peer", b.CloseRead())
	}},
	{"deadlines", func(w *world, a, b unixSocket) {
		w.note("set", a.SetDeadline(past()))
		n, _, err := a.ReadFrom(make([]byte, 8))
		w.tell("ReadFrom", err, n)
		n, _, _, _, err = a.ReadMsgUnix(make([]byte, 8), nil)
		w.tell("ReadMsgUnix", err, n)
		n, err = a.WriteTo([]byte("x"), b.LocalAddr())
		w.tell("WriteTo", err, n)
		n, _, err = a.WriteMsgUnix([]byte("x"), nil, unixAddr(b))
		w.tell("WriteMsgUnix", err, n)
	}},
	{"close while a read waits", func(w *world, a, b unixSocket) {
		wait := w.spawn(func() {
			n, _, err := a.ReadFrom(make([]byte, 8))
			w.tell("ReadFrom", err, n)
		})
		err := a.Close()
		wait()
		w.note("close", err)
	}},
	{"use after close", func(w *world, a, b unixSocket) {
		w.note("close", a.Close())
		w.note("close again", a.Close())
		p := make([]byte, 8)
		n, _, err := a.ReadFrom(p)
		w.tell("ReadFrom", err, n)
		n, _, _, _, err = a.ReadMsgUnix(p, p)
		w.tell("ReadMsgUnix", err, n)
		n, err = a.WriteTo(p, b.LocalAddr())
		w.tell("WriteTo", err, n)
		n, err = a.WriteTo(p, nil)
		w.tell("WriteTo nil", err, n)
		n, _, err = a.WriteMsgUnix(p, nil, unixAddr(b))
		w.tell("WriteMsgUnix", err, n)
		w.note("CloseRead", a.CloseRead())
		w.note("file stays", nil, exists(unixAddr(a).Name))
	}},
}

func TestUnixgramAsStd(t *testing.T) {
	for _, test := range onUnixgram {
		t.Run(test.name, func(t *testing.T) {
			inBothWorlds(t, func(w *world) {
				a, b := w.grams()
				defer a.Close()
				defer b.Close()
				test.do(w, a, b)
			})
		})
	}
}

// TestUnixMessagesAsStd: the messages of connections.
func TestUnixMessagesAsStd(t *testing.T) {
	for _, network := range []string{"unix", "unixpacket"} {
		t.Run(network, func(t *testing.T) {
			needs(t, network)
			inBothWorlds(t, func(w *world) {
				path := unixPath(w.t)
				ln, err := w.listenUnix(network, &UnixAddr{Name: path, Net: network})
				w.must(err)
				defer ln.Close()
				w.note("at", nil, ln.Addr().String() == path, ln.Addr().Network())
				c, err := w.dialUnix(network, nil, &UnixAddr{Name: path, Net: network})
				w.must(err)
				defer c.Close()
				accepted, err := ln.Accept()
				w.must(err)
				defer accepted.Close()
				d := accepted.(unixSocket)
				w.note("addresses", nil, c.LocalAddr(), c.RemoteAddr().String() == path, d.LocalAddr().String() == path, d.RemoteAddr())
				w.note("networks", nil, c.LocalAddr().Network(), c.RemoteAddr().Network(), d.LocalAddr().Network(), d.RemoteAddr().Network())
				w.messages(network, c, d)
			})
		})
	}
}

func (w *world) messages(network string, c, d unixSocket) {
	p := make([]byte, 8)
	n, oobn, err := c.WriteMsgUnix([]byte("hello"), nil, nil)
	w.tell("WriteMsgUnix", err, n, oobn)
	n, oobn, flags, from, err := d.ReadMsgUnix(p, nil)
	w.tell("ReadMsgUnix", err, n, oobn, flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC), from == nil, string(p[:n]))
	d.Write([]byte("back"))
	n, addr, err := c.ReadFrom(p)
	w.tell("ReadFrom", err, n, addr == nil)
	n, err = c.WriteTo([]byte("x"), d.LocalAddr())
	w.tell("WriteTo", err, n)
	n, _, err = c.WriteMsgUnix([]byte("x"), nil, &UnixAddr{Name: unixAddr(d).Name, Net: network})
	w.tell("WriteMsgUnix to an address", err, n)
	n, _, err = c.WriteMsgUnix([]byte("x"), nil, &UnixAddr{Name: unixAddr(d).Name, Net: "unixgram"})
	w.tell("WriteMsgUnix to another kind", err, n)
	if network == "unixpacket" {
		n, err = d.Read(p)
		w.tell("what came of that", err, n)
	}
	n, oobn, err = c.WriteMsgUnix(nil, unix.UnixRights(0), nil)
	w.tell("rights alone", err, n, oobn)
	oob := make([]byte, 64)
	n, oobn, _, _, err = d.ReadMsgUnix(nil, oob)
	w.tell("ReadMsgUnix", err, n, oobn)
	closeRights(w.t, oob[:oobn])
	d.(interface{ CloseWrite() error }).CloseWrite()
	n, _, err = c.ReadFrom(p)
	w.tell("ReadFrom at the end", end(c, err), n)
	n, _, _, _, err = c.ReadMsgUnix(p, nil)
	w.tell("ReadMsgUnix at the end", end(c, err), n)
	n, err = c.Read(p)
	w.tell("Read at the end", err, n)
	n, _, _, _, err = c.ReadMsgUnix(nil, make([]byte, 64))
	w.tell("ReadMsgUnix(nil) at the end", end(c, err), n)
}

// end returns what std of Go 1.27 returns for err at the end of a stream: before, it
// wrapped io.EOF in an OpError.
func end(c unixSocket, err error) error {
	if _, std := c.(*stdnet.UnixConn); std && errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

// closeRights closes the descriptors that came with a message, and fails unless
// they would be closed on exec.
func closeRights(t testing.TB, oob []byte) {
	t.Helper()
	for _, fd := range rights(t, oob) {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("flags %x, %v: it would outlive an exec", flags, err)
		}
		unix.Close(fd)
	}
}

// rights are the descriptors that came with a message.
func rights(t testing.TB, oob []byte) []int {
	t.Helper()
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		t.Fatalf("control messages: %v, %v", messages, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		t.Fatalf("descriptors: %v, %v", fds, err)
	}
	return fds
}

// TestUnixpacketAsStd is the table of connections for a third kind of them.
func TestUnixpacketAsStd(t *testing.T) {
	needs(t, "unixpacket")
	for _, test := range onConn {
		switch test.name {
		case "data", // it reads a message in two parts
			"close while a write waits": // it writes more than a message may hold
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			inBothWorlds(t, func(w *world) {
				ln, err := w.listen(w.ctx, "unixpacket", unixPath(t))
				w.must(err)
				defer ln.Close()
				peer, err := stdnet.Dial("unixpacket", ln.Addr().String())
				w.must(err)
				defer peer.Close()
				c, err := ln.Accept()
				w.must(err)
				defer c.Close()
				test.do(w, c, peer)
				w.note("network", nil, c.LocalAddr().Network(), c.RemoteAddr().Network())
			})
		})
	}
}

func TestUnixpacketBounds(t *testing.T) {
	needs(t, "unixpacket")
	inBothWorlds(t, func(w *world) {
		ln, err := w.listen(w.ctx, "unixpacket", unixPath(t))
		w.must(err)
		defer ln.Close()
		c, err := w.dial(w.ctx, "unixpacket", ln.Addr().String())
		w.must(err)
		defer c.Close()
		d, err := ln.Accept()
		w.must(err)
		defer d.Close()
		for _, s := range []string{"one", "", "two", "three"} {
			n, err := c.Write([]byte(s))
			w.tell("write", err, n)
		}
		p := make([]byte, 4)
		for range 4 {
			n, err := d.Read(p)
			w.tell("read", err, n, string(p[:n]))
		}
	})
}

// TestUnixDialAsStd has dials that fail, and names that are not there.
func TestUnixDialAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		path := unixPath(w.t)
		for _, network := range []string{"unix", "unixgram", "unixpacket", "udp", ""} {
			for i, a := range [][2]*UnixAddr{
				{nil, nil}, {{}, nil}, {nil, {}}, {nil, {Name: path, Net: network}}, {{Name: path + "l", Net: network}, {Name: path, Net: network}},
				{{Name: path + "l", Net: network}, {}}, {{Name: "/nonexistent/x"}, {Name: path}},
			} {
				c, err := w.dialUnix(network, a[0], a[1])
				w.tell(fmt.Sprint("dial ", network, i), err)
				if err == nil {
					w.note("at", nil, c.LocalAddr().String() == path+"l", c.RemoteAddr() == nil)
					c.Close()
				}
				os.Remove(path + "l")
			}
			_, err := w.listenUnix(network, nil)
			w.tell("listen nil "+network, err)
			c, err := w.listenUnixgram(network, nil)
			w.tell("listen gram nil "+network, err, c == nil)
			if ln, err := w.listenUnix(network, &UnixAddr{Name: path, Net: network}); err == nil {
				w.note("listening", nil, exists(path))
				w.note("close", ln.Close())
				w.note("removed", nil, !exists(path))
			} else {
				w.tell("listen "+network, err)
			}
			if c, err = w.listenUnixgram(network, &UnixAddr{Name: path, Net: network}); err == nil {
				c.Close()
				w.note("stays", nil, exists(path))
				os.Remove(path)
			} else {
				w.tell("listen gram "+network, err)
			}
		}
	})
}

func TestUnlinkOnCloseAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, unlink := range []bool{false, true} {
			path := unixPath(w.t)
			ln, err := w.listenUnix("unix", &UnixAddr{Name: path, Net: "unix"})
			w.must(err)
			set := ln.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose
			set(!unlink)
			set(unlink)
			w.note("close", ln.Close())
			w.note("there", nil, unlink, exists(path))
		}
	})
}
