package net

import (
	"context"
	stdnet "net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkUDPEcho has a std client, on a goroutine, send 64-byte datagrams to a
// server, 16 in flight, and count what comes back: to eddy's server that reads
// them one by one or in batches, and to std's.
func BenchmarkUDPEcho(b *testing.B) {
	const inFlight = 16
	b.Run("eddy/single", func(b *testing.B) { udpEddy(b, inFlight, echoSingly) })
	b.Run("eddy/batch", func(b *testing.B) { udpEddy(b, inFlight, echoInBatches) })
	b.Run("std/single", func(b *testing.B) {
		c, err := stdnet.ListenUDP("udp4", &UDPAddr{IP: IP{127, 0, 0, 1}})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		go echoSingly(c)
		udpClient(b, inFlight, c.LocalAddr().String())
	})
}

func udpEddy(b *testing.B, inFlight int, echo func(udpSocket) error) {
	s := stand(b, reactor.Options{})
	c, err := ListenUDP(s.ctx, "udp4", &UDPAddr{IP: IP{127, 0, 0, 1}})
	if err != nil {
		b.Fatal(err)
	}
	reactor.Submit(s.loop, func(context.Context) (struct{}, error) { echo(c); return struct{}{}, nil })
	udpClient(b, inFlight, c.LocalAddr().String())
	c.Close()
}

func echoSingly(c udpSocket) error {
	p := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(p)
		if err != nil {
			return err
		}
		if _, err := c.WriteToUDPAddrPort(p[:n], from); err != nil {
			return err
		}
	}
}

func echoInBatches(c udpSocket) error {
	ms, data := make([]Message, 32), make([]byte, 32*2048)
	for {
		for i := range ms {
			ms[i].Data = data[i*2048 : (i+1)*2048]
		}
		n, err := c.(*UDPConn).ReadBatch(ms)
		if err != nil {
			return err
		}
		for i := range ms[:n] {
			ms[i].Data = ms[i].Data[:ms[i].N]
		}
		if _, err := c.(*UDPConn).WriteBatch(ms[:n]); err != nil {
			return err
		}
	}
}

func udpClient(b *testing.B, inFlight int, addr string) {
	c, err := stdnet.Dial("udp4", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	p := make([]byte, 64)
	b.ReportAllocs()
	reportCPU(b)
	sent := 0
	for b.Loop() {
		for ; sent < inFlight; sent++ {
			if _, err := c.Write(p); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := c.Read(p); err != nil {
			b.Fatal(err)
		}
		sent--
	}
}

// reportCPU reports the CPU time of this process per operation: on a busy
// machine it is more stable.
func reportCPU(b *testing.B) {
	used := func() time.Duration {
		var u unix.Rusage
		unix.Getrusage(unix.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := used()
	b.Cleanup(func() { b.ReportMetric(float64(used()-start)/float64(b.N), "cpu-ns/op") })
}

// BenchmarkUDPInLoop has both ends in one loop: the cost of sending and
// receiving a datagram, without a switch of threads. An operation is a
// datagram.
func BenchmarkUDPInLoop(b *testing.B) {
	const many = 32
	b.Run("eddy/single", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			udpThere(b, listenLoopback(b, ctx, "udp4"), listenLoopback(b, ctx, "udp4"), many)
		})
	})
	b.Run("eddy/batch", func(b *testing.B) {
		run(b, func(ctx context.Context) { udpBatches(b, ctx, many) })
	})
	b.Run("std/single", func(b *testing.B) {
		var ends [2]*stdnet.UDPConn
		for i := range ends {
			c, err := stdnet.ListenUDP("udp4", &UDPAddr{IP: IP{127, 0, 0, 1}})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			ends[i] = c
		}
		udpThere(b, ends[0], ends[1], many)
	})
}

func udpThere(b *testing.B, from, to udpSocket, many int) {
	p, addr := make([]byte, 64), addrPortOf(to)
	b.ReportAllocs()
	reportCPU(b)
	for i := 0; b.Loop(); i++ {
		if i%many != 0 {
			continue
		}
		for range many {
			if _, err := from.WriteToUDPAddrPort(p, addr); err != nil {
				b.Fatal(err)
			}
		}
		for range many {
			if _, _, err := to.ReadFromUDPAddrPort(p); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func udpBatches(b *testing.B, ctx context.Context, many int) {
	from, to := listenLoopback(b, ctx, "udp4"), listenLoopback(b, ctx, "udp4")
	out, in := make([]Message, many), make([]Message, many)
	for i := range out {
		out[i] = Message{Data: make([]byte, 64), Addr: addrPortOf(to)}
		in[i] = Message{Data: make([]byte, 64)}
	}
	b.ReportAllocs()
	reportCPU(b)
	for i := 0; b.Loop(); i++ {
		if i%many != 0 {
			continue
		}
		if _, err := from.WriteBatch(out); err != nil {
			b.Fatal(err)
		}
		for n := 0; n < many; {
			got, err := to.ReadBatch(in[n:])
			if err != nil {
				b.Fatal(err)
			}
			n += got
		}
	}
}
