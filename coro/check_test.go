package coro

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

// noLeaks fails t if it ends with more goroutines or strands than it began
// with. A goroutine that has ended may take a moment to disappear.
func noLeaks(t *testing.T) {
	t.Helper()
	goroutines, entered := testkit.Goroutines(), countStrands()
	t.Cleanup(func() {
		deadline := time.Now().Add(testkit.Patience / 4)
		for testkit.Goroutines() > goroutines || countStrands() > entered {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<16)
				t.Errorf("%d goroutines and %d strands, before the test %d and %d\n%s",
					testkit.Goroutines(), countStrands(), goroutines, entered, buf[:runtime.Stack(buf, true)])
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func countStrands() int {
	strands.Lock()
	defer strands.Unlock()
	return len(strands.of)
}

// checkSeats verifies the invariants of Coroutine: parked ones sleep in seats
// of the set, no two in one; others have no seat.
func checkSeats(all []*Coroutine, parked func(*Coroutine) bool) error {
	homes := make(map[*seat]int)
	for i, c := range all {
		homes[&c.home] = i
	}
	sitter := make(map[*seat]int)
	for i, c := range all {
		if !parked(c) {
			if c.at != nil {
				return fmt.Errorf("coroutine %d is not parked, and has a seat", i)
			}
			continue
		}
		if _, ok := homes[c.at]; !ok {
			return fmt.Errorf("coroutine %d is parked in no seat of the set: %p", i, c.at)
		}
		if j, taken := sitter[c.at]; taken {
			return fmt.Errorf("coroutines %d and %d share a seat", i, j)
		}
		sitter[c.at] = i
	}
	return nil
}

// check verifies the invariants of a generator whose values are ints. It must
// be called on a goroutine with g's root.
func check[R comparable](g *Generator[int, int, R]) error {
	f := &g.y.frame
	var none R
	switch st := f.body.strand; {
	case f.state == Unknown:
		return fmt.Errorf("its state is unknown to itself")
	case f.state == Created && (st != nil || g.f == nil):
		return fmt.Errorf("created, with a strand %v or without a function", st)
	case f.state != Created && g.f != nil:
		return fmt.Errorf("%v, and keeps its function", f.state)
	case (f.state == Running || f.state == Suspended) && st.self.Load() == 0:
		return fmt.Errorf("%v, on no goroutine", f.state)
	case f.state == Closed && st != nil && st.self.Load() != 0:
		return fmt.Errorf("closed, on goroutine %#x", st.self.Load())
	case f.state != Running && (f.thrown != nil || g.y.sent != 0):
		return fmt.Errorf("%v, with %v thrown and %v sent", f.state, f.thrown, g.y.sent)
	case g.y.out != 0:
		return fmt.Errorf("keeps a value its driver has: %v", g.y.out)
	case g.result != none || g.err != nil || g.panicked != nil:
		return fmt.Errorf("keeps an outcome: %v %v %v", g.result, g.err, g.panicked)
	case !g.owner.used():
		return fmt.Errorf("its last user is not me")
	case g.owner.root.self.Load() != g.owner.root.root || Root() != g.owner.root.root:
		return fmt.Errorf("its root is not mine")
	}
	return nil
}
