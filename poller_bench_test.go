package eddy

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

var oneByte = []byte{'x'}

func (d *desc) write() { unix.Write(d.fd, oneByte) }

// BenchmarkWaitReady polls with n descriptors ready. They are duplicates of one
// socket, so that a single write makes n edges; "edges" is the cost of that
// write and of reading it back, to be subtracted.
func BenchmarkWaitReady(b *testing.B) {
	for _, n := range []int{0, 1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchWait(b, n, true) })
		if n > 0 {
			b.Run(fmt.Sprint(n, "/edges"), func(b *testing.B) { benchWait(b, n, false) })
		}
	}
}

func benchWait(b *testing.B, n int, wait bool) {
	p := newPoller(b)
	a, peer := pair(b)
	for i := range n {
		add(b, p, a.dup(), uint64(i))
	}
	settle(b, p)
	var buf [16]byte
	for b.Loop() {
		if n > 0 {
			peer.write()
		}
		if wait {
			if events, _ := p.Wait(0); len(events) != n {
				b.Fatalf("%d events, want %d", len(events), n)
			}
		}
		if n > 0 {
			unix.Read(a.fd, buf[:])
		}
	}
}

func BenchmarkWake(b *testing.B) {
	b.Run("pending", func(b *testing.B) {
		p := newPoller(b)
		for b.Loop() {
			p.Wake()
		}
	})
	b.Run("and poll", func(b *testing.B) {
		p := newPoller(b)
		for b.Loop() {
			p.Wake()
			p.Wait(0)
		}
	})
	// A round trip between a sleeping Poller and a goroutine.
	b.Run("a sleeper", func(b *testing.B) {
		p := newPoller(b)
		ping := make(chan struct{})
		go func() {
			for range ping {
				p.Wake()
			}
		}()
		for b.Loop() {
			ping <- struct{}{}
			p.Wait(-1)
		}
		close(ping)
	})
}
