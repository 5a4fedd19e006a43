package net

import (
	"context"
	"errors"
	stdnet "net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

type rawConner interface {
	SyscallConn() (syscall.RawConn, error)
}

var onRaw = []step{
	{"control", func(w *world, c Conn, peer stdnet.Conn) {
		raw, err := c.(rawConner).SyscallConn()
		w.note("SyscallConn", err)
		called := 0
		err = raw.Control(func(fd uintptr) {
			called++
			_, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE)
			w.note("getsockopt", err)
		})
		w.note("Control", err, called)
	}},
	{"read what is there", func(w *world, c Conn, peer stdnet.Conn) {
		raw, _ := c.(rawConner).SyscallConn()
		peer.Write([]byte("hello"))
		w.note("Read", raw.Read(func(fd uintptr) bool { return w.try(unix.Read, fd) }))
	}},
	{"read waits", func(w *world, c Conn, peer stdnet.Conn) {
		raw, _ := c.(rawConner).SyscallConn()
		wait := w.spawn(func() {
			w.note("Read", raw.Read(func(fd uintptr) bool { return w.try(unix.Read, fd) }))
		})
		peer.Write([]byte("hello"))
		wait()
	}},
	{"read only looks", func(w *world, c Conn, peer stdnet.Conn) {
		raw, _ := c.(rawConner).SyscallConn()
		called := 0
		w.note("Read", raw.Read(func(fd uintptr) bool {
			called++
			n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
			w.note("peek", err, n)
			return true
		}), called)
	}},
	{"write waits", func(w *world, c Conn, peer stdnet.Conn) {
		raw, _ := c.(rawConner).SyscallConn()
		fill(w, c)
		done := false
		wait := w.spawn(func() {
			err := raw.Write(func(fd uintptr) bool {
				n, err := unix.Write(int(fd), []byte("x"))
				done = n == 1
				return err != unix.EAGAIN
			})
			w.note("Write", err, done)
		})
		go func() {
			for p := make([]byte, 1<<20); ; {
				if _, err := peer.Read(p); err != nil {
					return
				}
			}
		}()
		wait()
	}},
	{"deadlines", func(w *world, c Conn, peer stdnet.Conn) {
		raw, _ := c.(rawConner).SyscallConn()
		never := func(uintptr) bool { return false }
		c.SetDeadline(past())
		w.note("Read", raw.Read(func(uintptr) bool { w.note("called", nil); return true }))
		w.note("Write", raw.Write(func(uintptr) bool { w.note("called", nil); return true }))
		c.SetDeadline(soon())
		w.note("Read", raw.Read(never))
		c.SetDeadline(time.Time{})
		wait := w.spawn(func() { w.note("Read", raw.Read(never)) })
		err := c.SetReadDeadline(past())
		wait()
		w.note("set", err)
	}},
	{"close while a read waits", func(w *world, c Conn, peer stdnet.Conn) {
		raw, _ := c.(rawConner).SyscallConn()
		wait := w.spawn(func() { w.note("Read", raw.Read(func(uintptr) bool { return false })) })
		err := c.Close()
		wait()
		w.note("close", err)
		w.note("Control", raw.Control(func(uintptr) { w.note("called", nil) }))
		w.note("Read", raw.Read(func(uintptr) bool { w.note("called", nil); return true }))
		w.note("Write", raw.Write(func(uintptr) bool { w.note("called", nil); return true }))
	}},
}

// try reads into a few bytes, and reports whether that is all.
func (w *world) try(read func(int, []byte) (int, error), fd uintptr) bool {
	p := make([]byte, 8)
	n, err := read(int(fd), p)
	if err == unix.EAGAIN {
		return false
	}
	w.note("read", err, string(p[:max(n, 0)]))
	return true
}

func TestRawConnAsStd(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, test := range onRaw {
			t.Run(network+"/"+test.name, func(t *testing.T) {
				inBothWorlds(t, func(w *world) {
					c, peer := w.connected(network, true)
					defer peer.Close()
					defer c.Close()
					test.do(w, c, peer)
				})
			})
		}
	}
}

func TestRawListenerAsStd(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		inBothWorlds(t, func(w *world) {
			ln, err := w.listen(w.ctx, network, anyAddr(t, network))
			w.must(err)
			raw, err := ln.(rawConner).SyscallConn()
			w.note("SyscallConn", err)
			w.note("Control", raw.Control(func(fd uintptr) {
				n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
				w.note("getsockopt", err, n)
			}))
			w.note("Read", raw.Read(func(uintptr) bool { return true }))
			w.note("Write", raw.Write(func(uintptr) bool { return true }))
			ln.Close()
			w.note("Control", raw.Control(func(uintptr) { w.note("called", nil) }))
		})
	}
}

// TestRawElsewhere: other goroutines than the loop's can use a RawConn too.
func TestRawElsewhere(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := withStd(t, ctx, "tcp")
		raw, _ := c.(rawConner).SyscallConn()
		outside(t, ctx, func() error {
			got := make(chan error, 1)
			p := make([]byte, 8)
			go func() {
				got <- raw.Read(func(fd uintptr) bool {
					_, err := unix.Read(int(fd), p)
					return err != unix.EAGAIN
				})
			}()
			peer.Write([]byte("hello"))
			if err := <-got; err != nil || string(p[:5]) != "hello" {
				t.Errorf("%q, %v", p, err)
			}
			go func() { got <- raw.Read(func(uintptr) bool { return false }) }()
			c.Close()
			if err := <-got; !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
			return nil
		})
	})
}

// TestRawScope: a task that waits in a RawConn obeys its scope, and does not
// poll meanwhile.
func TestRawScope(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := withStd(t, ctx, "tcp")
		peer.Write([]byte("what is there, but not enough"))
		raw, _ := c.(rawConner).SyscallConn()
		asked := 0
		never := func(uintptr) bool { asked++; return false }
		for _, wait := range []func(func(uintptr) bool) error{raw.Read, raw.Write} {
			err := reactor.Timeout(ctx, time.Millisecond, func(context.Context) error { return wait(never) })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		if asked > 50 { // the kernel may repeat what it has reported
			t.Errorf("asked %d times, want 4 or so", asked)
		}
	})
}

// TestIPv4: golang.org/x/net/ipv4 works on connections of this package, in tasks
// and elsewhere: options, and batches of messages, for which it makes the system
// calls itself. (Its ReadFrom and WriteTo want a *UDPConn of std's.)
func TestIPv4(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, _ := withStd(t, ctx, "tcp")
		if err := ipv4.NewConn(c).SetTTL(42); err != nil {
			t.Error(err)
		}
		if ttl, err := ipv4.NewConn(c).TTL(); ttl != 42 || err != nil {
			t.Error(ttl, err)
		}

		u, err := ListenPacket(ctx, "udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		p := ipv4.NewPacketConn(u)
		if err := p.SetControlMessage(ipv4.FlagDst|ipv4.FlagTTL, true); err != nil {
			t.Error(err)
		}
		receive := func() error {
			ms := []ipv4.Message{{Buffers: [][]byte{make([]byte, 10)}, OOB: ipv4.NewControlMessage(ipv4.FlagDst | ipv4.FlagTTL)}}
			n, err := p.ReadBatch(ms, 0)
			if err != nil {
				return err
			}
			var cm ipv4.ControlMessage
			m := ms[0]
			if err := cm.Parse(m.OOB[:m.NN]); err != nil || n != 1 || string(m.Buffers[0][:m.N]) != "hello" || !cm.Dst.Equal(IPv4(127, 0, 0, 1)) || m.Addr.String() != u.LocalAddr().String() {
				t.Errorf("%d: %q from %v, %+v, %v", n, m.Buffers[0][:m.N], m.Addr, cm, err)
			}
			return nil
		}
		send := func() error {
			_, err := p.WriteBatch([]ipv4.Message{{Buffers: [][]byte{[]byte("hel"), []byte("lo")}, Addr: u.LocalAddr()}}, 0)
			return err
		}
		receiving := reactor.Go(ctx, func(context.Context) error { return receive() })
		parked(ctx)
		if err := errors.Join(send(), receiving.Wait(ctx)); err != nil {
			t.Error(err)
		}
		outside(t, ctx, func() error { return errors.Join(send(), receive()) })
		p.SetReadDeadline(past())
		if err := receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}
