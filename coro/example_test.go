package coro_test

import (
	"errors"
	"fmt"

	"github.com/eddyio/eddy/coro"
)

// A generator of numbers, in a for loop. Leaving the loop closes it.
func ExampleGenerator_All() {
	fibonacci := coro.NewSimple(func(yield func(int) error) error {
		for a, b := 0, 1; ; a, b = b, a+b {
			if err := yield(a); err != nil {
				return err
			}
		}
	})
	for v := range fibonacci.All() {
		if v > 20 {
			break
		}
		fmt.Print(v, " ")
	}
	// Output: 0 1 1 2 3 5 8 13
}

// A running average: each Send returns the mean of what has been sent so far.
func ExampleGenerator_Send() {
	average := coro.New(func(y *coro.Yielder[float64, float64]) (float64, error) {
		var sum, mean float64
		for n := 1.0; ; n++ {
			x, err := y.Yield(mean)
			if err != nil {
				return 0, err
			}
			sum += x
			mean = sum / n
		}
	})
	defer average.Close()
	average.Next() // up to the first Yield
	for _, x := range []float64{10, 20, 60} {
		mean, _ := average.Send(x)
		fmt.Println(mean)
	}
	// Output:
	// 10
	// 15
	// 30
}

type tree struct {
	left, right *tree
	label       string
}

// labels yields the labels of t from left to right, and returns how many.
func (t *tree) labels() *coro.Generator[string, struct{}, int] {
	return coro.New(func(y *coro.Yielder[string, struct{}]) (int, error) {
		if t == nil {
			return 0, nil
		}
		l, err := coro.From(y, t.left.labels())
		if err != nil {
			return 0, err
		}
		if _, err := y.Yield(t.label); err != nil {
			return 0, err
		}
		r, err := coro.From(y, t.right.labels())
		return l + 1 + r, err
	})
}

// A walk over a tree, each node of which is a generator.
func ExampleFrom() {
	t := &tree{&tree{nil, nil, "a"}, &tree{&tree{nil, nil, "c"}, nil, "d"}, "b"}
	walk := t.labels()
	for {
		label, err := walk.Next()
		var end *coro.Return[int]
		if errors.As(err, &end) {
			fmt.Println(end.Value, "labels")
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(label)
	}
	// Output:
	// a
	// b
	// c
	// d
	// 4 labels
}

// A pipeline: one generator's body drives another.
func Example_pipeline() {
	naturals := coro.New(func(y *coro.Yielder[int, struct{}]) (struct{}, error) {
		for i := 1; ; i++ {
			if _, err := y.Yield(i); err != nil {
				fmt.Println("naturals:", err)
				return struct{}{}, err
			}
		}
	})
	squares := coro.New(func(y *coro.Yielder[int, struct{}]) (struct{}, error) {
		for v := range naturals.All() {
			if _, err := y.Yield(v * v); err != nil {
				return struct{}{}, err // and closes naturals
			}
		}
		return struct{}{}, nil
	})
	for v := range squares.All() {
		if v > 30 {
			break
		}
		fmt.Println(v)
	}
	// Output:
	// 1
	// 4
	// 9
	// 16
	// 25
	// naturals: coro: generator is being closed
}
