package net_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A request and its answer by UDP.
func ExampleListenUDP() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		server, err := net.ListenUDP(ctx, "udp", &net.UDPAddr{IP: net.IP{127, 0, 0, 1}})
		if err != nil {
			return err
		}
		defer server.Close()
		reactor.Go(ctx, func(ctx context.Context) error {
			p := make([]byte, 1500)
			n, from, err := server.ReadFromUDPAddrPort(p)
			if err != nil {
				return err
			}
			_, err = server.WriteToUDPAddrPort(append([]byte("re: "), p[:n]...), from)
			return err
		})
		c, err := net.Dial(ctx, "udp", server.LocalAddr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
		p := make([]byte, 1500)
		n, err := c.Read(p)
		fmt.Printf("%s\n", p[:n])
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: re: hello
}

// A server on all addresses reads batches, and answers each datagram from the
// address that it was sent to.
func ExampleUDPConn_ReadBatch() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		server, err := net.ListenUDP(ctx, "udp4", nil)
		if err != nil {
			return err
		}
		defer server.Close()
		if err := server.SetPacketInfo(true); err != nil {
			return err
		}
		port := server.LocalAddr().(*net.UDPAddr).Port
		client, err := net.DialUDP(ctx, "udp4", nil, &net.UDPAddr{IP: net.IP{127, 0, 0, 1}, Port: port})
		if err != nil {
			return err
		}
		defer client.Close()
		for _, s := range []string{"one", "two", "three"} {
			if _, err := client.Write([]byte(s)); err != nil {
				return err
			}
		}

		ms := make([]net.Message, 8)
		for i := range ms {
			ms[i].Data, ms[i].Control = make([]byte, 1500), make([]byte, net.PacketInfoSpace)
		}
		n, err := server.ReadBatch(ms)
		if err != nil {
			return err
		}
		for i := range ms[:n] {
			m := &ms[i]
			info, _ := net.ParsePacketInfo(m.Control[:m.NControl])
			m.Data = m.Data[:m.N]
			m.Control = info.Reply().AppendControl(m.Control[:0])
			fmt.Printf("%s to %v\n", m.Data, info.Dst)
		}
		_, err = server.WriteBatch(ms[:n])
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// one to 127.0.0.1
	// two to 127.0.0.1
	// three to 127.0.0.1
}

// An open file is passed from one end of a Unix socket to the other, which may
// be in another process.
func ExampleUnixConn_WriteMsgUnix() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		dir, err := os.MkdirTemp("", "eddy")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		at := &net.UnixAddr{Name: dir + "/s", Net: "unix"}
		ln, err := net.ListenUnix(ctx, "unix", at)
		if err != nil {
			return err
		}
		defer ln.Close()
		from, err := net.DialUnix(ctx, "unix", nil, at)
		if err != nil {
			return err
		}
		defer from.Close()
		to, err := ln.AcceptUnix()
		if err != nil {
			return err
		}
		defer to.Close()

		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		fmt.Fprint(w, "from a pipe that was passed")
		w.Close()
		if _, _, err := from.WriteMsgUnix([]byte("x"), unix.UnixRights(int(r.Fd())), nil); err != nil {
			return err
		}
		r.Close()

		p, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
		_, oobn, _, _, err := to.ReadMsgUnix(p, oob)
		if err != nil {
			return err
		}
		messages, err := unix.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			return err
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil {
			return err
		}
		passed := os.NewFile(uintptr(fds[0]), "passed")
		defer passed.Close()
		text, err := io.ReadAll(passed)
		fmt.Printf("%s\n", text)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: from a pipe that was passed
}
