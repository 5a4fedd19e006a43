package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// exchange sends msg both ways at once between two connections of a loop,
// a piece at a time, and half-closes them.
func exchange(t testing.TB, ctx context.Context, network string, msg []byte, piece int) error {
	a, b := pair(t, ctx, network)
	defer a.Close()
	defer b.Close()
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		for _, c := range []Conn{a, b} {
			g.Go(func(context.Context) error {
				for rest := msg; len(rest) > 0; {
					n, err := c.Write(rest[:min(piece, len(rest))])
					if err != nil {
						return err
					}
					rest = rest[n:]
				}
				return c.(half).CloseWrite()
			})
			g.Go(func(context.Context) error {
				got, err := io.ReadAll(c)
				return errors.Join(err, same(got, msg))
			})
		}
		return nil
	})
}

// TestFaults: what the kernel may do to a caller never surfaces, and no byte is
// lost, doubled or moved.
func TestFaults(t *testing.T) {
	spurious := 0
	for seed := range uint64(40) {
		network := []string{"tcp", "unix"}[seed%2]
		underFaults(t, seeded(seed), func(ctx context.Context, k *faulty) {
			if err := exchange(t, ctx, network, pattern(100_000), 3000); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			for _, kind := range []string{"read EINTR", "read EAGAIN", "read of one byte", "write EINTR", "write EAGAIN", "write of one byte", "half a write"} {
				if k.counts[kind] == 0 {
					t.Errorf("seed %d: never a %s", seed, kind)
				}
			}
			spurious += k.nudge.spurs
		})
	}
	if spurious == 0 {
		t.Error("never a spurious readiness")
	}
}

// FuzzFaults reads a schedule of faults from its input. A byte is a choice of the
// faulty kernel; when they are used up it behaves.
func FuzzFaults(f *testing.F) {
	f.Add([]byte{}, uint16(10), uint8(1))
	f.Add([]byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, uint16(1000), uint8(10))
	f.Add([]byte{2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, uint16(1000), uint8(100))
	f.Add([]byte{3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, uint16(1000), uint8(3))
	f.Add([]byte("a schedule of faults is but a string"), uint16(60000), uint8(255))
	f.Fuzz(func(t *testing.T, script []byte, size uint16, piece uint8) {
		for _, network := range []string{"tcp", "unix"} {
			underFaults(t, scripted(script), func(ctx context.Context, k *faulty) {
				if err := exchange(t, ctx, network, pattern(int(size)), max(int(piece)+1, int(size)/500)); err != nil {
					t.Errorf("script %s: %v; faults: %v", fmt.Sprintf("%v", script), err, k.counts)
				}
			})
		}
	})
}

// TestConnectInterrupted: a connect that is interrupted goes on by itself.
func TestConnectInterrupted(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		underFaults(t, scripted([]byte{1, 1, 1}), func(ctx context.Context, k *faulty) {
			if err := exchange(t, ctx, network, pattern(10), 10); err != nil {
				t.Error(err)
			}
			if k.counts["connect EINTR"] != 1 {
				t.Error("no interrupted connect:", k.counts)
			}
		})
	}
}
