package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

func init() { second = 10 * time.Millisecond }

func Example_sequential() {
	fmt.Println(reactor.Run(context.Background(), sequential))
	// Output:
	// Bob
	// welch
	// <nil>
}

func Example_concurrent() {
	fmt.Println(reactor.Run(context.Background(), concurrent))
	// Output:
	// Bob
	// welch
	// <nil>
}

// fastest returns the shortest time that program took, which no other load on
// the machine can make too short, and some run among many comes close to.
func fastest(t *testing.T, program func(ctx context.Context) error) time.Duration {
	best := time.Hour
	for range 10 {
		start := time.Now()
		if err := reactor.Run(t.Context(), program); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	return best
}

func TestSequentialTakesTheSum(t *testing.T) {
	if d := fastest(t, sequential); d < 3*second {
		t.Errorf("took %v, want at least %v", d, 3*second)
	}
}

func TestConcurrentTakesTheLongest(t *testing.T) {
	if d := fastest(t, concurrent); d < 2*second || d >= 3*second {
		t.Errorf("took %v, want at least %v and less than %v", d, 2*second, 3*second)
	}
}

func TestTimedReturnsTheError(t *testing.T) {
	want := fmt.Errorf("no")
	if err := timed("failing", func(context.Context) error { return want }); err != want {
		t.Errorf("got %v, want %v", err, want)
	}
}
