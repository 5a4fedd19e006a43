package net

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"
	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// listenLoopback returns a UDP socket on 127.0.0.1 or [::1].
func listenLoopback(t testing.TB, ctx context.Context, network string) *UDPConn {
	t.Helper()
	ip := stdnet.IPv4(127, 0, 0, 1)
	if network == "udp6" {
		ip = stdnet.IPv6loopback
	}
	c, err := ListenUDP(ctx, network, &UDPAddr{IP: ip})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func numberedMessages(n int, to netip.AddrPort) []Message {
	ms := make([]Message, n)
	for i := range ms {
		ms[i] = Message{Data: binary.BigEndian.AppendUint32(nil, uint32(i)), Addr: to, N: -1}
	}
	return ms
}

// receiveAll reads batches of all sizes until n messages have come, and fails
// unless they are those of numberedMessages, in order.
func receiveAll(c *UDPConn, n int, from netip.AddrPort) error {
	for i, size := 0, 1; i < n; size = size%100 + 7 {
		ms := make([]Message, size)
		for j := range ms {
			ms[j].Data = make([]byte, 8)
		}
		got, err := c.ReadBatch(ms)
		if err != nil || got == 0 || got > size {
			return fmt.Errorf("ReadBatch of %d: %d, %v", size, got, err)
		}
		for _, m := range ms[:got] {
			if m.N != 4 || binary.BigEndian.Uint32(m.Data) != uint32(i) || m.Addr != from {
				return fmt.Errorf("message %d is % x from %v", i, m.Data[:m.N], m.Addr)
			}
			i++
		}
	}
	return nil
}

func TestBatchesKeepTheOrder(t *testing.T) {
	for _, network := range []string{"udp4", "udp6"} {
		for _, connected := range []bool{false, true} {
			t.Run(fmt.Sprint(network, connected), func(t *testing.T) {
				run(t, func(ctx context.Context) {
					b := listenLoopback(t, ctx, network)
					a, to := listenLoopback(t, ctx, network), addrPortOf(b)
					if connected {
						var err error
						if a, err = DialUDP(ctx, network, nil, udpAddr(b)); err != nil {
							t.Fatal(err)
						}
						defer a.Close()
						to = netip.AddrPort{}
					}
					const total = 200 // more than go in one call
					ms := numberedMessages(total, to)
					reader := reactor.Go(ctx, func(context.Context) error { return receiveAll(b, total, addrPortOf(a)) })
					n, err := a.WriteBatch(ms)
					if n != total || err != nil {
						t.Fatalf("WriteBatch: %d, %v", n, err)
					}
					for i, m := range ms {
						if m.N != 4 {
							t.Errorf("message %d: N is %d", i, m.N)
						}
					}
					if err := reader.Wait(ctx); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// TestBatchOfMixedAddresses has addresses in every form that a dual socket takes.
func TestBatchOfMixedAddresses(t *testing.T) {
	run(t, func(ctx context.Context) {
		a, err := ListenUDP(ctx, "udp", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if a.family != unix.AF_INET6 {
			t.Skip("no sockets for both families")
		}
		v4, v6 := listenLoopback(t, ctx, "udp4"), listenLoopback(t, ctx, "udp6")
		in6 := netip.AddrPortFrom(netip.AddrFrom16(addrPortOf(v4).Addr().As16()), addrPortOf(v4).Port())
		ms := numberedMessages(9, netip.AddrPort{})
		for i, to := range []netip.AddrPort{addrPortOf(v6), addrPortOf(v4), in6, addrPortOf(v6), addrPortOf(v6), addrPortOf(v4), addrPortOf(v4), in6, addrPortOf(v6)} {
			ms[i].Addr = to
		}
		if n, err := a.WriteBatch(ms); n != len(ms) || err != nil {
			t.Fatalf("WriteBatch: %d, %v", n, err)
		}
		got := map[string]string{}
		for _, c := range []*UDPConn{v4, v6} {
			for range map[*UDPConn]int{v4: 5, v6: 4}[c] {
				p := make([]byte, 8)
				if n, err := c.Read(p); n != 4 || err != nil {
					t.Fatalf("read: %d, %v", n, err)
				}
				got[c.network] += fmt.Sprint(binary.BigEndian.Uint32(p))
			}
		}
		if got["udp4"] != "12567" || got["udp6"] != "0348" {
			t.Error("received", got)
		}
		for i := range ms {
			if ms[i].N != 4 {
				t.Errorf("message %d: N is %d", i, ms[i].N)
			}
		}
	})
}

func TestBatchErrors(t *testing.T) {
	run(t, func(ctx context.Context) {
		a, b := listenLoopback(t, ctx, "udp4"), listenLoopback(t, ctx, "udp4")
		c, err := DialUDP(ctx, "udp4", nil, udpAddr(b))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for name, test := range map[string]struct {
			from *UDPConn
			bad  Message
			err  error
		}{
			"too long":       {a, Message{Data: make([]byte, 1<<16), Addr: addrPortOf(b)}, syscall.EMSGSIZE},
			"no address":     {a, Message{Data: []byte("x")}, errMissingAddress},
			"wrong family":   {a, Message{Data: []byte("x"), Addr: netip.MustParseAddrPort("[::1]:1")}, nil},
			"connected":      {c, Message{Data: []byte("x"), Addr: addrPortOf(b)}, ErrWriteToConnected},
			"too long there": {c, Message{Data: make([]byte, 1<<16)}, syscall.EMSGSIZE},
		} {
			good := Message{Data: []byte("good"), Addr: addrPortOf(b)}
			if test.from == c {
				good.Addr = netip.AddrPort{}
			}
			ms := []Message{good, good, test.bad, good}
			n, err := test.from.WriteBatch(ms)
			var op *OpError
			if n != 2 || !errors.As(err, &op) || op.Op != "write" || test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("%s: %d, %v", name, n, err)
			}
			var wrong *AddrError
			if test.err == nil && !errors.As(err, &wrong) {
				t.Errorf("%s: %v", name, err)
			}
			for range 2 {
				if n, err := b.Read(make([]byte, 8)); n != 4 || err != nil {
					t.Errorf("%s: the good ones: %d, %v", name, n, err)
				}
			}
		}
		if n, err := a.ReadBatch(nil); n != 0 || err != nil {
			t.Errorf("ReadBatch of none: %d, %v", n, err)
		}
		if n, err := a.WriteBatch(nil); n != 0 || err != nil {
			t.Errorf("WriteBatch of none: %d, %v", n, err)
		}
		one := []Message{{Data: make([]byte, 8)}}
		a.SetReadDeadline(past())
		if n, err := a.ReadBatch(one); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ReadBatch after the deadline: %d, %v", n, err)
		}
		a.Close()
		for range 2 {
			if n, err := a.ReadBatch(one); n != 0 || !errors.Is(err, ErrClosed) {
				t.Errorf("ReadBatch of the closed: %d, %v", n, err)
			}
			if n, err := a.WriteBatch(one); n != 0 || !errors.Is(err, ErrClosed) {
				t.Errorf("WriteBatch of the closed: %d, %v", n, err)
			}
			one = nil
		}
		if _, err := new(UDPConn).ReadBatch(one); err != syscall.EINVAL {
			t.Error("the zero UDPConn:", err)
		}
	})
}

// TestWaitingPacketReads: a reader that waits in any method is woken by its
// scope, by Close, and by a deadline.
func TestWaitingPacketReads(t *testing.T) {
	reads := map[string]func(c *UDPConn) error{
		"ReadFromUDPAddrPort": func(c *UDPConn) error { _, _, err := c.ReadFromUDPAddrPort(make([]byte, 8)); return err },
		"ReadMsgUDP":          func(c *UDPConn) error { _, _, _, _, err := c.ReadMsgUDP(make([]byte, 8), nil); return err },
		"ReadBatch":           func(c *UDPConn) error { _, err := c.ReadBatch([]Message{{Data: make([]byte, 8)}}); return err },
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) {
				c := listenLoopback(t, ctx, "udp4")
				err := reactor.Timeout(ctx, time.Millisecond, func(context.Context) error { return read(c) })
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error("the scope's end:", err)
				}
				task := reactor.Go(ctx, func(context.Context) error { return read(c) })
				parked(ctx)
				c.SetReadDeadline(past())
				if err := task.Wait(ctx); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("a deadline:", err)
				}
				c.SetReadDeadline(time.Time{})
				outsider := make(chan error, 1)
				go func() { outsider <- read(c) }()
				task = reactor.Go(ctx, func(context.Context) error { return read(c) })
				parked(ctx)
				c.Close()
				if err := task.Wait(ctx); !errors.Is(err, ErrClosed) {
					t.Error("Close:", err)
				}
				outside(t, ctx, func() error {
					if err := <-outsider; !errors.Is(err, ErrClosed) {
						t.Error("Close, on a goroutine:", err)
					}
					return nil
				})
			})
		})
	}
}

// TestWaitingPacketReadsAreQuiet: a wait for a datagram does not poll for it.
func TestWaitingPacketReadsAreQuiet(t *testing.T) {
	k := &countsMessages{}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		c := listenLoopback(t, ctx, "udp4")
		for _, read := range []func() error{
			func() error { _, err := c.Read(make([]byte, 8)); return err },
			func() error { _, _, err := c.ReadFrom(make([]byte, 8)); return err },
			func() error { _, err := c.ReadBatch([]Message{{Data: make([]byte, 8)}}); return err },
		} {
			c.SetReadDeadline(time.Time{})
			c.WriteTo([]byte("x"), c.LocalAddr())
			c.Read(make([]byte, 8)) // now it counts as readable, and is empty
			k.n = 0
			c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
			if k.n > 5 {
				t.Errorf("%d calls to receive nothing", k.n)
			}
		}
	})
}

// TestPacketsFromGoroutine calls methods from outside the loop.
func TestPacketsFromGoroutine(t *testing.T) {
	needs(t, "unixpacket")
	run(t, func(ctx context.Context) {
		a, b := listenLoopback(t, ctx, "udp4"), listenLoopback(t, ctx, "udp4")
		path := unixPath(t)
		outside(t, ctx, func() error {
			go func() {
				a.WriteTo([]byte("1"), b.LocalAddr())
				a.WriteToUDPAddrPort([]byte("2"), addrPortOf(b))
				a.WriteMsgUDP([]byte("3"), nil, udpAddr(b))
				a.WriteBatch([]Message{{Data: []byte("4"), Addr: addrPortOf(b)}})
			}()
			var got []byte
			p := make([]byte, 8)
			n, from, err := b.ReadFrom(p)
			if err != nil || from.String() != a.LocalAddr().String() {
				return fmt.Errorf("ReadFrom: %v, %v", from, err)
			}
			got = append(got, p[:n]...)
			n, _, err = b.ReadFromUDPAddrPort(p)
			got = append(got, p[:n]...)
			n, _, _, _, err2 := b.ReadMsgUDP(p, nil)
			got = append(got, p[:n]...)
			ms := []Message{{Data: p}}
			n, err3 := b.ReadBatch(ms)
			if err := errors.Join(err, err2, err3); err != nil || n != 1 {
				return fmt.Errorf("%d, %w", n, err)
			}
			if got = append(got, p[:ms[0].N]...); string(got) != "1234" {
				return fmt.Errorf("got %q", got)
			}
			if err := errors.Join(b.SetPacketInfo(true), b.SetReadBuffer(1<<16), b.SetDeadline(past())); err != nil {
				return err
			}
			if _, err := ListenMulticastUDP(ctx, "udp4", nil, nil); err == nil {
				return errors.New("multicast without a group")
			}
			return unixFromGoroutine(ctx, path)
		})
	})
}

func unixFromGoroutine(ctx context.Context, path string) error {
	ln, err := ListenUnix(ctx, "unixpacket", &UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return err
	}
	ln.SetUnlinkOnClose(false)
	c, err := DialUnix(ctx, "unixpacket", nil, &UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return err
	}
	defer c.Close()
	d, err := ln.AcceptUnix()
	if err != nil {
		return err
	}
	defer d.Close()
	if _, _, err := c.WriteMsgUnix([]byte("hello"), nil, nil); err != nil {
		return err
	}
	p := make([]byte, 8)
	if n, _, _, _, err := d.ReadMsgUnix(p, nil); n != 5 || err != nil {
		return fmt.Errorf("ReadMsgUnix: %d, %w", n, err)
	}
	if err := ln.Close(); err != nil {
		return err
	}
	if !exists(path) {
		return errors.New("the file is gone")
	}
	return os.Remove(path)
}

// TestPacketsAllocateNothing: neither for a datagram that is there, nor for one
// after a wait.
func TestPacketsAllocateNothing(t *testing.T) {
	for _, network := range []string{"udp4", "udp6"} {
		run(t, func(ctx context.Context) {
			a, b := listenLoopback(t, ctx, network), listenLoopback(t, ctx, network)
			to, p, oob := addrPortOf(b), make([]byte, 64), make([]byte, PacketInfoSpace)
			if err := b.SetPacketInfo(true); err != nil {
				t.Fatal(err)
			}
			echo := reactor.Go(ctx, func(context.Context) error {
				p := make([]byte, 64)
				for {
					n, from, err := b.ReadFromUDPAddrPort(p)
					if err != nil {
						return err
					}
					if _, err := b.WriteToUDPAddrPort(p[:n], from); err != nil {
						return err
					}
				}
			})
			out, in := []Message{{Data: p, Addr: to}, {Data: p, Addr: to}}, []Message{{Data: p}, {Data: p}}
			for name, f := range map[string]func() error{
				"AddrPort": func() error {
					a.WriteToUDPAddrPort(p[:10], to)
					_, _, err := a.ReadFromUDPAddrPort(p)
					return err
				},
				"Msg": func() error {
					a.WriteMsgUDPAddrPort(p[:10], nil, to)
					_, _, _, _, err := a.ReadMsgUDPAddrPort(p, oob)
					return err
				},
				"Batch": func() error {
					n, err := a.WriteBatch(out)
					for n > 0 && err == nil {
						var got int
						got, err = a.ReadBatch(in[:n])
						n -= got
					}
					return err
				},
			} {
				allocs := testing.AllocsPerRun(200, func() {
					if err := f(); err != nil {
						t.Fatal(err)
					}
				})
				if allocs > 0 && !raceEnabled && !messagesAllocate {
					t.Errorf("%s %s: %v allocations", network, name, allocs)
				}
			}
			for _, c := range []*UDPConn{a, b} {
				if m := c.one[0]; m.Data != nil || m.Control != nil || m.Addr.IsValid() {
					t.Errorf("it still refers to %+v", m)
				}
			}
			b.Close()
			echo.Wait(ctx)
		})
	}
}

// TestPacketFaults: legal kernel faults are never visible, and no message is
// lost or moved, on sockets that do not lose any.
func TestPacketFaults(t *testing.T) {
	total := map[string]int{}
	for seed := range uint64(20) {
		underFaults(t, faulty.Seeded(seed), func(ctx context.Context, k *faulty.Sockets) {
			err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				g.Go(func(ctx context.Context) error { return exchangeUDP(t, ctx) })
				g.Go(func(ctx context.Context) error { return exchangeUnixgram(t, ctx) })
				return nil
			})
			if err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			for kind, n := range k.Counts {
				total[kind] += n
			}
		})
	}
	for _, kind := range []string{"receive EINTR", "receive EAGAIN", "receive of fewer", "send EINTR", "send EAGAIN", "send of fewer"} {
		if total[kind] == 0 {
			t.Errorf("never a %s", kind)
		}
	}
}

// exchangeUDP sends small batches, so that the loopback loses nothing.
func exchangeUDP(t testing.TB, ctx context.Context) error {
	a, b := listenLoopback(t, ctx, "udp4"), listenLoopback(t, ctx, "udp4")
	defer a.Close()
	defer b.Close()
	const total = 100
	ms := numberedMessages(total, addrPortOf(b))
	if n, err := a.WriteBatch(ms); n != total || err != nil {
		return fmt.Errorf("WriteBatch: %d, %w", n, err)
	}
	if err := receiveAll(b, total, addrPortOf(a)); err != nil {
		return err
	}
	for i := range 50 {
		if _, err := a.WriteToUDPAddrPort([]byte{byte(i)}, addrPortOf(b)); err != nil {
			return err
		}
	}
	p := make([]byte, 8)
	for i := range 50 {
		if n, from, err := b.ReadFromUDPAddrPort(p); n != 1 || p[0] != byte(i) || from != addrPortOf(a) || err != nil {
			return fmt.Errorf("datagram %d: % x from %v, %w", i, p[:n], from, err)
		}
	}
	return nil
}

// exchangeUnixgram sends more than the receiver's queue holds.
func exchangeUnixgram(t testing.TB, ctx context.Context) error {
	a, err := ListenUnixgram(ctx, "unixgram", &UnixAddr{Name: unixPath(t), Net: "unixgram"})
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := ListenUnixgram(ctx, "unixgram", &UnixAddr{Name: unixPath(t), Net: "unixgram"})
	if err != nil {
		return err
	}
	defer b.Close()
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(func(context.Context) error {
			for i := range 100 {
				if n, err := a.WriteTo([]byte{byte(i)}, b.LocalAddr()); n != 1 || err != nil {
					return fmt.Errorf("WriteTo: %d, %w", n, err)
				}
			}
			return nil
		})
		g.Go(func(context.Context) error {
			p := make([]byte, 8)
			for i := range 100 {
				if n, from, err := b.ReadFrom(p); n != 1 || p[0] != byte(i) || err != nil || from.String() != a.LocalAddr().String() {
					return fmt.Errorf("datagram %d: % x from %v, %w", i, p[:n], from, err)
				}
			}
			return nil
		})
		return nil
	})
}

// noBuffers is a kernel that has no memory for sending.
type noBuffers struct{ sockets.System }

func (noBuffers) Send(int, []sockets.Message, int) (int, syscall.Errno) { return 0, syscall.ENOBUFS }

// TestNoBuffers: as with std's net, the caller gets the error, and may wait.
func TestNoBuffers(t *testing.T) {
	runWith(t, reactor.Options{Sockets: noBuffers{}}, func(ctx context.Context) {
		c := listenLoopback(t, ctx, "udp4")
		_, one := c.WriteToUDPAddrPort([]byte("x"), addrPortOf(c))
		_, many := c.WriteBatch([]Message{{Data: []byte("x"), Addr: addrPortOf(c)}})
		for _, err := range []error{one, many} {
			if !errors.Is(err, syscall.ENOBUFS) {
				t.Error(err)
			}
		}
		if _, err := ListenMulticastUDP(ctx, "udp4", nil, &UDPAddr{IP: IP{224, 0, 0, 254}}); !errors.Is(err, errNoMulticast) {
			t.Error("multicast:", err)
		}
	})
}

// countsMessages is a kernel that counts the calls for messages.
type countsMessages struct {
	sockets.System
	n int
}

func (k *countsMessages) Receive(fd int, ms []sockets.Message, flags int) (int, syscall.Errno) {
	k.n++
	return k.System.Receive(fd, ms, flags)
}

func (k *countsMessages) Send(fd int, ms []sockets.Message, flags int) (int, syscall.Errno) {
	k.n++
	return k.System.Send(fd, ms, flags)
}

// TestFullQueueOfOthers: a unixgram socket waits for room in the queue of a
// receiver that another socket has filled, and does not spin meanwhile,
// although the kernel keeps reporting it as writable.
func TestFullQueueOfOthers(t *testing.T) {
	k := &countsMessages{}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		var socks [3]*UnixConn
		for i := range socks {
			var err error
			if socks[i], err = ListenUnixgram(ctx, "unixgram", &UnixAddr{Name: unixPath(t), Net: "unixgram"}); err != nil {
				t.Fatal(err)
			}
			defer socks[i].Close()
		}
		receiver, filler, sender := socks[0], socks[1], socks[2]
		n := 0
		for ; ; n++ {
			filler.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := filler.WriteTo([]byte("x"), receiver.LocalAddr()); err != nil {
				break
			}
		}
		sent := reactor.Go(ctx, func(context.Context) error {
			_, err := sender.WriteTo([]byte("late"), receiver.LocalAddr())
			return err
		})
		k.n = 0
		if err := reactor.Sleep(ctx, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if k.n == 0 || k.n > 100 {
			t.Errorf("%d attempts to send to a full queue", k.n)
		}
		p := make([]byte, 8)
		for range n {
			if _, err := receiver.Read(p); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := receiver.Read(p); string(p[:n]) != "late" || err != nil {
			t.Errorf("received %q, %v", p[:n], err)
		}
		if err := sent.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestDescriptorIsPassed(t *testing.T) {
	for _, network := range []string{"unix", "unixpacket", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			needs(t, network)
			run(t, func(ctx context.Context) {
				from, to := unixEnds(t, ctx, network)
				defer from.Close()
				defer to.Close()
				name := filepath.Join(t.TempDir(), "f")
				file, err := os.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				data, oob := []byte("fd"), unix.UnixRights(int(file.Fd()))
				if n, oobn, err := from.WriteMsgUnix(data, oob, peerOf(from, to)); n != 2 || oobn != len(oob) || err != nil {
					t.Fatalf("WriteMsgUnix: %d, %d, %v", n, oobn, err)
				}
				p, oob := make([]byte, 8), make([]byte, unix.CmsgSpace(4))
				n, oobn, flags, _, err := to.ReadMsgUnix(p, oob)
				if err != nil || string(p[:n]) != "fd" || flags&unix.MSG_CTRUNC != 0 {
					t.Fatalf("ReadMsgUnix: %q, %x, %v", p[:n], flags, err)
				}
				got := os.NewFile(uintptr(rights(t, oob[:oobn])[0]), "passed")
				defer got.Close()
				if flags, err := unix.FcntlInt(got.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
					t.Errorf("flags %x, %v: it would outlive an exec", flags, err)
				}
				got.WriteString("through it")
				if b, err := os.ReadFile(name); string(b) != "through it" || err != nil {
					t.Errorf("the file has %q, %v", b, err)
				}
				fds := len(testkit.Holdings().FDs)
				from.WriteMsgUnix([]byte("two"), unix.UnixRights(0, 1), peerOf(from, to)) // no room for them
				if n, _, _, _, err := to.ReadMsgUnix(p, nil); n != 3 || err != nil {
					t.Errorf("ReadMsgUnix without room: %d, %v", n, err)
				}
				if n := len(testkit.Holdings().FDs); n != fds {
					t.Errorf("%d fds are open, were %d", n, fds)
				}
			})
		})
	}
}

// unixEnds are two sockets of which the first can send to the second.
func unixEnds(t testing.TB, ctx context.Context, network string) (from, to *UnixConn) {
	t.Helper()
	path := &UnixAddr{Name: unixPath(t), Net: network}
	if network == "unixgram" {
		to, err := ListenUnixgram(ctx, network, path)
		if err != nil {
			t.Fatal(err)
		}
		from, err := ListenUnixgram(ctx, network, &UnixAddr{Name: unixPath(t), Net: network})
		if err != nil {
			t.Fatal(err)
		}
		return from, to
	}
	a, b := pair(t, ctx, network)
	return a.(*UnixConn), b.(*UnixConn)
}

func peerOf(from, to *UnixConn) *UnixAddr {
	if from.peer != nil {
		return nil
	}
	return unixAddr(to)
}

// TestWriteMsgIsNotInterleaved: a message on a stream is sent after the write
// of another task in progress.
func TestWriteMsgIsNotInterleaved(t *testing.T) {
	run(t, func(ctx context.Context) {
		a, b := pair(t, ctx, "unix")
		defer a.Close()
		defer b.Close()
		long := bytes.Repeat([]byte("x"), 4<<20)
		first := reactor.Go(ctx, func(context.Context) error { _, err := a.Write(long); return err })
		parked(ctx)
		second := reactor.Go(ctx, func(context.Context) error {
			_, _, err := a.(*UnixConn).WriteMsgUnix([]byte("yyyy"), nil, nil)
			return errors.Join(err, a.(*UnixConn).CloseWrite())
		})
		got, err := io.ReadAll(b)
		if err := errors.Join(err, testkit.Same(got, append(long, "yyyy"...)), first.Wait(ctx), second.Wait(ctx)); err != nil {
			t.Error(err)
		}
	})
}

// TestUnixpacketNettest runs the conformance suite on unixpacket connections,
// as TestNettest does on others.
func TestUnixpacketNettest(t *testing.T) {
	needs(t, "unixpacket")
	testkit.Leaks(t)
	t.Run("from goroutines", func(t *testing.T) {
		nettest.TestConn(t, pipes(t, "unixpacket", func(_ *reactor.Loop, c Conn) Conn { return c }))
	})
	t.Run("from tasks", func(t *testing.T) {
		nettest.TestConn(t, pipes(t, "unixpacket", func(l *reactor.Loop, c Conn) Conn { return shipped{c, l} }))
	})
}

// TestFailedPacketSocketsLeakNothing: not even until the loop's end.
func TestFailedPacketSocketsLeakNothing(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := listenLoopback(t, ctx, "udp4")
		fds := len(testkit.Holdings().FDs)
		for range 10 {
			ListenUDP(ctx, "udp4", udpAddr(c))
			DialUDP(ctx, "udp4", udpAddr(c), udpAddr(c))
			DialUDP(ctx, "udp4", nil, &UDPAddr{IP: IP{255, 255, 255, 255, 255}})
			ListenMulticastUDP(ctx, "udp4", nil, &UDPAddr{IP: IP{127, 0, 0, 1}}) // no group
			ListenMulticastUDP(ctx, "udp6", nil, &UDPAddr{IP: stdnet.IPv6loopback})
			ListenUnixgram(ctx, "unixgram", &UnixAddr{Name: "/nonexistent/s"})
			ListenUnix(ctx, "unixpacket", &UnixAddr{Name: "/nonexistent/s"})
			DialUnix(ctx, "unixgram", nil, &UnixAddr{Name: "/nonexistent/s"})
			DialUnix(ctx, "unixpacket", nil, &UnixAddr{Name: "/nonexistent/s"})
		}
		if n := len(testkit.Holdings().FDs); n > fds {
			t.Errorf("%d fds are open, were %d", n, fds)
		}
	})
}

// TestZeroPacketConnsAsStd: methods of zero sockets fail.
func TestZeroPacketConnsAsStd(t *testing.T) {
	udp := map[string]func(c udpSocket) error{
		"Read":                func(c udpSocket) error { _, err := c.Read(nil); return err },
		"ReadFrom":            func(c udpSocket) error { _, _, err := c.ReadFrom(nil); return err },
		"ReadFromUDPAddrPort": func(c udpSocket) error { _, _, err := c.ReadFromUDPAddrPort(nil); return err },
		"ReadMsgUDP":          func(c udpSocket) error { _, _, _, _, err := c.ReadMsgUDP(nil, nil); return err },
		"WriteTo":             func(c udpSocket) error { _, err := c.WriteTo(nil, nil); return err },
		"WriteToUDP":          func(c udpSocket) error { _, err := c.WriteToUDP(nil, nil); return err },
		"WriteToUDPAddrPort":  func(c udpSocket) error { _, err := c.WriteToUDPAddrPort(nil, netip.AddrPort{}); return err },
		"WriteMsgUDP":         func(c udpSocket) error { _, _, err := c.WriteMsgUDP(nil, nil, nil); return err },
		"WriteMsgUDPAddrPort": func(c udpSocket) error { _, _, err := c.WriteMsgUDPAddrPort(nil, nil, netip.AddrPort{}); return err },
		"Close":               func(c udpSocket) error { return c.Close() },
	}
	for name, f := range udp {
		for _, c := range []udpSocket{&UDPConn{}, &stdnet.UDPConn{}} {
			if err := f(c); err != syscall.EINVAL {
				t.Errorf("%s of a %T: %v", name, c, err)
			}
		}
	}
	unixes := map[string]func(c unixSocket) error{
		"ReadFrom":     func(c unixSocket) error { _, _, err := c.ReadFrom(nil); return err },
		"ReadMsgUnix":  func(c unixSocket) error { _, _, _, _, err := c.ReadMsgUnix(nil, make([]byte, 8)); return err },
		"WriteTo":      func(c unixSocket) error { _, err := c.WriteTo(nil, nil); return err },
		"WriteToUnix":  func(c unixSocket) error { _, err := c.WriteToUnix(nil, nil); return err },
		"WriteMsgUnix": func(c unixSocket) error { _, _, err := c.WriteMsgUnix(nil, nil, nil); return err },
		"CloseRead":    func(c unixSocket) error { return c.CloseRead() },
	}
	for name, f := range unixes {
		for _, c := range []unixSocket{&UnixConn{}, &stdnet.UnixConn{}} {
			if err := f(c); err != syscall.EINVAL {
				t.Errorf("%s of a %T: %v", name, c, err)
			}
		}
	}
	new(UnixListener).SetUnlinkOnClose(true) // has nothing to do
}
