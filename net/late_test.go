package net

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// compute occupies the loop's thread until after t, so that no timer fires.
func compute(t time.Time) {
	for !time.Now().After(t) {
	}
}

// TestDeadlinePassesWhileComputing: a deadline is a time, not a timer. Every
// operation that begins after it fails, although the loop has had no turn.
func TestDeadlinePassesWhileComputing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, make([]byte, 1<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) {
		late := func(name string, setDeadline func(time.Time) error, op func() error) {
			t.Helper()
			for range 20 {
				at := time.Now().Add(time.Nanosecond)
				if err := setDeadline(at); err != nil {
					t.Fatalf("%s: SetDeadline: %v", name, err)
				}
				compute(at)
				if err := op(); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		p := make([]byte, 8)
		for _, network := range []string{"tcp", "unix"} {
			c, peer := pair(t, ctx, network)
			peer.Write([]byte("there is something to be read"))
			parked(ctx)
			late(network+" Read", c.SetReadDeadline, func() error { _, err := c.Read(p); return err })
			late(network+" Write", c.SetWriteDeadline, func() error { _, err := c.Write(p); return err })
			late(network+" Write, SetDeadline", c.SetDeadline, func() error { _, err := c.Write(p); return err })
			late(network+" Buffers", c.SetWriteDeadline, func() error {
				_, err := (&Buffers{p, p}).WriteTo(c)
				return err
			})
			late(network+" Borrow", c.SetReadDeadline, func() error {
				_, err := c.(interface{ Borrow() ([]byte, error) }).Borrow()
				return err
			})
			if c, ok := c.(io.WriterTo); ok {
				late(network+" WriteTo", c.(Conn).SetReadDeadline, func() error { _, err := c.WriteTo(io.Discard); return err })
			}
			late(network+" Writer", c.SetWriteDeadline, func() error {
				_, err := NewWriter(ctx, c).Write(p)
				return err
			})
			raw, _ := c.(rawConner).SyscallConn()
			late(network+" RawConn.Read", c.SetReadDeadline, func() error {
				return raw.Read(func(uintptr) bool { return true })
			})
			late(network+" RawConn.Write", c.SetWriteDeadline, func() error {
				return raw.Write(func(uintptr) bool { return true })
			})
			if c, ok := c.(*UnixConn); ok {
				late("ReadMsgUnix", c.SetReadDeadline, func() error { _, _, _, _, err := c.ReadMsgUnix(p, nil); return err })
				late("WriteMsgUnix", c.SetWriteDeadline, func() error { _, _, err := c.WriteMsgUnix(p, nil, nil); return err })
			}
			if c, ok := c.(*TCPConn); ok {
				late("sendfile", c.SetWriteDeadline, func() error {
					f, err := os.Open(file)
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					_, err = c.ReadFrom(f)
					return err
				})
				from, feeder := pair(t, ctx, "tcp")
				feeder.Write(p)
				parked(ctx)
				late("copy", c.SetWriteDeadline, func() error {
					_, err := c.ReadFrom(&io.LimitedReader{R: from, N: int64(len(p))})
					feeder.Write(p) // for the next time
					return err
				})
				from.Close()
				feeder.Close()
			}
			c.Close()
			peer.Close()

			ln, err := Listen(ctx, network, anyAddr(t, network))
			if err != nil {
				t.Fatal(err)
			}
			c, err = Dial(ctx, network, ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			parked(ctx)
			late(network+" Accept", ln.(interface{ SetDeadline(time.Time) error }).SetDeadline, func() error {
				_, err := ln.Accept()
				return err
			})
			c.Close()
			ln.Close()
		}
		u, err := ListenUDP(ctx, "udp", &UDPAddr{IP: IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		self := netip.MustParseAddrPort(u.LocalAddr().String())
		u.WriteToUDPAddrPort(p, self)
		parked(ctx)
		late("UDP read", u.SetReadDeadline, func() error { _, _, err := u.ReadFrom(p); return err })
		late("UDP write", u.SetWriteDeadline, func() error { _, err := u.WriteToUDPAddrPort(p, self); return err })
		late("ReadBatch", u.SetReadDeadline, func() error { _, err := u.ReadBatch([]Message{{Data: p}}); return err })
		late("WriteBatch", u.SetWriteDeadline, func() error { _, err := u.WriteBatch([]Message{{Data: p, Addr: self}}); return err })
	})
}
