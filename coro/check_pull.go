//go:build !coro_nested

package coro

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
)

// checkPull panics, at its first call, unless iter.Pull makes a seat. If the
// runtime ends the process instead, the stack trace contains transfers.
var checkPull = sync.OnceFunc(func() {
	if err := checkSeat(iter.Pull[struct{}]); err != nil {
		panic(fmt.Sprintf("coro: %v. eddy's coroutines need this of %s, and iter.Pull does not promise it: build with -tags coro_nested",
			err, runtime.Version()))
	}
})

// A puller is iter.Pull, or a test's replacement.
type puller = func(iter.Seq[struct{}]) (next func() (struct{}, bool), stop func())

// checkSeat returns an error unless pull makes a seat, in which any goroutine
// can take the place of any other. It tests this on a goroutine that is locked
// to its thread, as a loop's is, because the runtime checks the locking too.
func checkSeat(pull puller) error {
	result := make(chan error, 1)
	go func() {
		err := errors.New("the goroutine of an iter.Pull took its caller along")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("an iter.Pull does not let any goroutine pass control to any other: %v", p)
			}
			result <- err
		}()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err = nil
		if got := transfers(pull, plan); !strings.HasPrefix(got, plan) {
			err = fmt.Errorf("control passed between the goroutines of iter.Pull in the order %s, not %s", got, plan)
		}
	}()
	return <-result
}

// plan is the order in which the host, 0, and the coroutines 1 and 2 run. Each
// passes control to each other one more than once.
const plan = "0120210120210201210"

// transfers makes them pass control as planned, each time through the seat in
// which the next one sleeps, and then end. It returns the order in which they
// ran.
func transfers(pull puller, plan string) string {
	var order []byte
	var seats [3]seat
	at := [3]*seat{nil, &seats[1], &seats[2]} // where each sleeps
	pass := func(from, to int) {
		s := at[to]
		if s == nil {
			panic("it woke another one")
		}
		at[from], at[to] = s, nil
		if s.pulled = !s.pulled; s.pulled {
			s.next()
		} else {
			s.yield(struct{}{})
		}
	}
	act := func(me int) {
		for {
			order = append(order, '0'+byte(me))
			if len(order) >= len(plan) {
				return
			}
			pass(me, int(plan[len(order)]-'0'))
		}
	}
	for i := 1; i <= 2; i++ {
		seats[i].next, _ = pull(func(yield func(struct{}) bool) {
			seats[i].yield = yield
			act(i)
			at[i] = nil
		})
	}
	act(0)
	for i := 1; i <= 2; i++ {
		for at[i] != nil { // the one that wakes ends, and may wake another before the host
			pass(0, i)
		}
	}
	return string(order)
}
