package reactor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// Each loop has its own variable, which is made once, and ended after all
// tasks, in reverse order.
func TestLocal(t *testing.T) {
	type counter struct{ loop, n int }
	var log []string
	loops := 0
	note := func(what string, c *counter) { log = append(log, fmt.Sprint(what, c.loop, ":", c.n)) }
	first := Local[counter]{
		Init: func(c *counter) { loops++; c.loop = loops; note("begin", c) },
		End:  func(c *counter) { note("end", c) },
	}
	var second Local[counter]
	second.End = func(c *counter) { note("second", c) }
	for range 2 {
		run(t, func(ctx context.Context) error {
			l := LoopOf(ctx)
			first.On(l).n++
			Go(ctx, func(ctx context.Context) error {
				NewBarrier(2).Wait(ctx) // until the loop's end begins
				first.On(l).n++
				return nil
			})
			first.On(l).n++
			second.On(l).n = 7
			return Yield(ctx)
		})
	}
	want := []string{"begin1:0", "second0:7", "end1:3", "begin2:0", "second0:7", "end2:3"}
	if !slices.Equal(log, want) {
		t.Errorf("got %v, want %v", log, want)
	}
}

// A panic in one End is reported, and the others are called.
func TestEndOfLocalPanics(t *testing.T) {
	ended := false
	var good, bad Local[int]
	good.End = func(*int) { ended = true }
	bad.End = func(*int) { panic(errBoom) }
	var rs reports
	err := Options{OnError: rs.add}.Run(t.Context(), func(ctx context.Context) error {
		good.On(LoopOf(ctx))
		bad.On(LoopOf(ctx))
		return nil
	})
	if err != nil || !ended || len(rs) != 1 || !errors.Is(rs[0].Err, errBoom) {
		t.Errorf("%v, ended: %v, reports: %v", err, ended, rs)
	}
}

func ExampleLocal() {
	type cache struct{ names map[int]string }
	var names = Local[cache]{Init: func(c *cache) { c.names = map[int]string{1: "one"} }}

	Run(context.Background(), func(ctx context.Context) error {
		c := names.On(LoopOf(ctx)) // no lock: only this loop's tasks have it
		fmt.Println(c.names[1])
		return nil
	})
	// Output: one
}
