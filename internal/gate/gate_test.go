package gate

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
)

func TestGateOpens(t *testing.T) {
	var g Gate
	value := 0
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if !g.Wait(context.Background()) || value != 1 {
				t.Error("it passed a closed gate")
			}
		})
	}
	value = 1
	g.Open()
	g.Open()
	all.Wait()
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if !g.Wait(done) {
		t.Error("an open gate counts as closed")
	}
}

// await returns when n goroutines wait at the gate.
func (g *Gate) await(n int) {
	for {
		waiting := 0
		g.mu.Lock()
		for s := g.first; s != nil; s = s.next {
			waiting++
		}
		g.mu.Unlock()
		if waiting == n {
			return
		}
		runtime.Gosched()
	}
}

// Waiters that give up do not affect the others.
func TestGateGivenUp(t *testing.T) {
	for n := range 4 {
		var g Gate
		var all sync.WaitGroup
		cancels := make([]context.CancelFunc, 4)
		results := make([]bool, 4)
		for i := range cancels {
			ctx, cancel := context.WithCancel(context.Background())
			cancels[i] = cancel
			all.Go(func() { results[i] = g.Wait(ctx) })
		}
		g.await(4)
		cancels[n]()
		g.await(3)
		g.Open()
		all.Wait()
		for i, open := range results {
			if open == (i == n) {
				t.Errorf("%d of 4 gave up: the result of %d is %v", n, i, open)
			}
			cancels[i]()
		}
	}
}

// A goroutine in a bubble waits for one outside, at a gate made inside or
// outside.
func TestGateAcrossBubbles(t *testing.T) {
	var out Gate
	gates := make(chan *Gate, 1)
	go func() {
		(<-gates).Open()
		out.Open()
	}()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		in := new(Gate)
		gates <- in
		if !in.Wait(ctx) || !out.Wait(ctx) {
			t.Error("it did not open")
		}
	})
}
