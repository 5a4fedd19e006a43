//go:build !race && !kqueue_model

package sockets_test

import (
	"testing"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// With the race detector, sync.Pool drops items on purpose.

func TestMessagesDoNotAllocate(t *testing.T) {
	local := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	a, b := datagram(t, unix.AF_INET, local), datagram(t, unix.AF_INET, local)
	out := []sockets.Message{{Data: []byte("one"), Addr: localPort(t, b)}}
	in := []sockets.Message{{Data: make([]byte, 10)}}
	n := testing.AllocsPerRun(100, func() {
		sockets.System{}.Send(a, out, 0)
		for {
			if _, errno := (sockets.System{}).Receive(b, in, 0); errno == 0 {
				break
			}
		}
	})
	if n > 0.5 {
		t.Errorf("%v allocations for a message", n)
	}
}
