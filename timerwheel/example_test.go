package timerwheel_test

import (
	"fmt"
	"time"

	"github.com/eddyio/eddy/timerwheel"
)

// An owner embeds a Timer in its object, and makes Value point back to it.
type request struct {
	name    string
	timeout timerwheel.Timer[*request]
}

// A loop sleeps until Next, then fires all timers that are due. Here the clock
// is a number, so nothing sleeps.
func Example() {
	var wheel timerwheel.Wheel[*request]
	start := func(name string, timeout time.Duration) *request {
		r := &request{name: name}
		r.timeout.Value = r
		wheel.Add(&r.timeout, int64(timeout))
		return r
	}
	start("slow", 3*time.Second)
	start("fast", time.Second)
	start("fast too", time.Second)
	answered := start("answered", 2*time.Second)
	wheel.Cancel(&answered.timeout)

	for {
		now, ok := wheel.Next()
		if !ok {
			break
		}
		for t := wheel.Pop(now); t != nil; t = wheel.Pop(now) {
			fmt.Println(time.Duration(now), t.Value.name)
		}
	}
	// Output:
	// 1s fast
	// 1s fast too
	// 3s slow
}

// Pop returns one timer per call, so a loop can limit the work of a turn and
// still keep the order.
func ExampleWheel_Pop_budget() {
	const now, budget = 100, 2
	var wheel timerwheel.Wheel[string]
	for _, t := range []*timerwheel.Timer[string]{{Value: "a"}, {Value: "b"}, {Value: "c"}} {
		wheel.Add(t, 50)
	}
	for turn := 1; wheel.Len() > 0; turn++ {
		for range budget {
			if t := wheel.Pop(now); t != nil {
				fmt.Println("turn", turn, t.Value)
			}
		}
	}
	// Output:
	// turn 1 a
	// turn 1 b
	// turn 2 c
}

// Resetting a timer moves it behind all others with the same deadline.
func ExampleWheel_Reset() {
	var wheel timerwheel.Wheel[string]
	a := &timerwheel.Timer[string]{Value: "a"}
	b := &timerwheel.Timer[string]{Value: "b"}
	fmt.Println(wheel.Reset(a, 10), wheel.Reset(b, 10), wheel.Reset(a, 10))
	fmt.Println(wheel.Pop(10).Value, wheel.Pop(10).Value, wheel.Pop(10))
	// Output:
	// false false true
	// b a <nil>
}
