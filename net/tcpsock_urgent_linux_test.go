package net

import (
	"context"
	"io"
	stdnet "net"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUrgentData: a read stops at the mark of urgent data (tcp(7)), so that one
// shorter than its buffer does not mean that nothing is left.
func TestUrgentData(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		raw, err := p.(*stdnet.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		send := func(s string, flags int) {
			raw.Control(func(fd uintptr) {
				if err := unix.Sendto(int(fd), []byte(s), flags, nil); err != nil {
					t.Error(err)
				}
			})
		}
		send("before", 0)
		send("!", unix.MSG_OOB) // goes a way of its own, outside the stream
		send("after", 0)
		got := make([]byte, 11)
		for n := 0; n < len(got); {
			m, err := c.Read(got[n:cap(got)])
			if err != nil {
				t.Fatalf("after %q: %v", got[:n], err)
			}
			n += m
		}
		if string(got) != "beforeafter" {
			t.Errorf("read %q", got)
		}
		p.Close()
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d, %v", n, err)
		}
	})
}
