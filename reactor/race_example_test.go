package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// answer returns a function that has an answer after d.
func answer(name string, d time.Duration, err error) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if e := reactor.Sleep(ctx, d); e != nil {
			fmt.Println(name, "stops:", reactor.Cause(ctx))
			return "", e
		}
		return name, err
	}
}

// Two replicas are asked, and the faster one wins. The other has stopped before
// Race returns.
func ExampleRace() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		name, err := reactor.Race(ctx, answer("near", time.Millisecond, nil), answer("far", time.Hour, nil))
		fmt.Println(name, err)
		return err
	})
	// Output:
	// far stops: the race is over: another function has won it
	// near <nil>
}

// A mirror that is down does not end the search for one that is up.
func ExampleAny() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		down := errors.New("connection refused")
		name, err := reactor.Any(ctx, answer("a", 0, down), answer("b", 2*time.Millisecond, nil), answer("c", time.Millisecond, down))
		fmt.Println(name, err)
		return err
	})
	// Output: b <nil>
}

// Two of three votes decide.
func ExampleGatherUntil() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		votes := 0
		outcomes, err := reactor.GatherUntil(ctx, func(_ int, o reactor.Outcome[string]) bool {
			if o.Err == nil {
				votes++
			}
			return votes == 2
		}, answer("a", 2*time.Millisecond, nil), answer("b", time.Hour, nil), answer("c", time.Millisecond, nil))
		for _, o := range outcomes {
			fmt.Printf("%q %v\n", o.Value, errors.Is(o.Err, context.Canceled))
		}
		return err
	})
	// Output:
	// b stops: the race is over: another function has won it
	// "a" false
	// "" true
	// "c" false
}
