// Udpecho answers UDP datagrams with their contents, from the address that they
// were sent to, until it is interrupted. It handles several at a time if
// several have arrived.
//
//	go run ./examples/udpecho -addr :7002
//	socat - UDP:127.0.0.1:7002
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:7002", "address to listen on")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "udpecho: unexpected argument %q: the address goes after -addr\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	err := reactor.Run(ctx, func(ctx context.Context) error { return serve(ctx, *addr) })
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "udpecho:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, addr string) error {
	laddr, err := net.ResolveUDPAddr(ctx, "udp", addr)
	if err != nil {
		return err
	}
	c, err := net.ListenUDP(ctx, "udp", laddr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetPacketInfo(true); err != nil {
		return err
	}
	fmt.Println("listening on", c.LocalAddr())
	return echo(c)
}

func echo(c *net.UDPConn) error {
	const most = 32 // at a time
	ms := make([]net.Message, most)
	data, control := make([]byte, most<<16), make([]byte, most*net.PacketInfoSpace)
	for {
		for i := range ms {
			ms[i].Data = data[i<<16 : (i+1)<<16]
			ms[i].Control = control[i*net.PacketInfoSpace : (i+1)*net.PacketInfoSpace]
		}
		n, err := c.ReadBatch(ms)
		if err != nil {
			return err
		}
		answers := ms[:n]
		for i := range answers {
			m := &answers[i]
			info, _ := net.ParsePacketInfo(m.Control[:m.NControl])
			m.Data, m.Control = m.Data[:m.N], info.Reply().AppendControl(m.Control[:0])
		}
		if err := send(c, answers); err != nil {
			return err
		}
	}
}

// send skips answers that can't be sent, for instance to port 0, which any
// sender can forge: they must not stop the service for others.
func send(c *net.UDPConn, ms []net.Message) error {
	for len(ms) > 0 {
		n, err := c.WriteBatch(ms)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled):
			return err
		}
		slog.Warn("udpecho: an answer was not sent", "to", ms[n].Addr, "error", err)
		ms = ms[n+1:]
	}
	return nil
}
