package net

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
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
				return errors.Join(err, testkit.Same(got, msg))
			})
		}
		return nil
	})
}

var (
	faultSeeds = flag.Int("faults.seeds", 0, "run TestFaults with this many seeds, instead of a few hundred")
	faultSeed  = flag.Int("faults.seed", -1, "run TestFaults with this seed alone")
)

// TestFaults: legal kernel faults are never visible, and no byte is lost,
// doubled or moved, in any program. A seed chooses the program and its faults.
func TestFaults(t *testing.T) {
	if *faultSeed >= 0 {
		underSeed(t, uint64(*faultSeed), map[string]int{})
		return
	}
	seeds := *faultSeeds
	if seeds == 0 {
		seeds = testkit.Times(98, 280)
		if raceEnabled {
			seeds = 70
		}
	}
	counts := map[string]int{}
	for seed := range uint64(seeds) {
		underSeed(t, seed, counts)
	}
	for _, kind := range []string{
		"read EINTR", "read EAGAIN", "read of one byte", "write EINTR", "write EAGAIN", "write of one byte", "half a write",
		"accept EINTR", "accept ECONNABORTED", "accept EAGAIN", "accept without resources", "connect EINTR",
		"spurious readiness", "an event twice", "an event of the past",
	} {
		if counts[kind] == 0 && *faultSeeds == 0 {
			t.Error("never a", kind)
		}
	}
}

func underSeed(t *testing.T, seed uint64, counts map[string]int) {
	p := programs[seed%uint64(len(programs))]
	t.Run(fmt.Sprintf("%d %s", seed, p.name), func(t *testing.T) {
		defer func() {
			if t.Failed() {
				t.Logf("once more: go test ./net -run '^TestFaults$' -faults.seed=%d", seed)
			}
		}()
		underFaults(t, faulty.Seeded(seed), func(ctx context.Context, k *faulty.Sockets) {
			if err := p.run(t, ctx, k); err != nil {
				t.Error(err)
			}
			for kind, n := range k.Counts {
				counts[kind] += n
			}
		})
	})
}

// FuzzFaults reads a schedule of faults from its input. Each byte is a choice
// of the faulty kernel; after the last byte there are no more faults.
func FuzzFaults(f *testing.F) {
	f.Add([]byte{}, uint16(10), uint8(1))
	f.Add([]byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, uint16(1000), uint8(10))
	f.Add([]byte{2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, uint16(1000), uint8(100))
	f.Add([]byte{3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, uint16(1000), uint8(3))
	f.Add([]byte("a schedule of faults is but a string"), uint16(60000), uint8(255))
	f.Fuzz(func(t *testing.T, script []byte, size uint16, piece uint8) {
		for _, network := range []string{"tcp", "unix"} {
			underFaults(t, faulty.Scripted(script), func(ctx context.Context, k *faulty.Sockets) {
				if err := exchange(t, ctx, network, testkit.Pattern(int(size)), max(int(piece)+1, int(size)/500)); err != nil {
					t.Errorf("script %s: %v; faults: %v", fmt.Sprintf("%v", script), err, k.Counts)
				}
			})
		}
	})
}
