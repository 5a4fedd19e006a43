// Package coro answers one question: how does control pass from one thread of
// code to another and back?
//
// It has two answers, of which the second rests on the first. A [Coroutine] is
// symmetric: any of them may pass control to any other, which is what a
// scheduler wants. A [Generator] is asymmetric, as in PEP 255 and PEP 342: it
// yields values to its driver, which may send it values and errors, and control
// always returns to the driver.
//
//	squares := coro.NewSimple(func(yield func(int) error) error {
//		for i := 1; ; i++ {
//			if err := yield(i * i); err != nil {
//				return err
//			}
//		}
//	})
//	for v, err := range squares.All() { … }
//
// The package has no scheduler: it knows nothing of loops, time or I/O.
package coro
