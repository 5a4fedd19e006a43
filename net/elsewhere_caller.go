package net

import (
	"context"
	"errors"
	"sync"

	"github.com/eddyio/eddy/internal/gate"
	"github.com/eddyio/eddy/reactor"
)

// A caller is a goroutine off the loop that waits for a task and meanwhile
// calls the user's functions for it: a Dialer's Control, and the hooks of
// httptrace. These may panic, or exit their goroutine as a test's Fatal does,
// which must not affect the loop.
//
// Invariant: news is open if there are calls, or the task has ended, and next
// has not returned that yet.
type caller struct {
	mu    sync.Mutex
	calls []*call
	ended bool // the task has
	left  bool // the goroutine has, and takes no more calls
	news  *gate.Gate
}

func newCaller() *caller { return &caller{news: new(gate.Gate)} }

// callerKey is the key of a task's ctx for the caller that it works for.
var callerKey any = new(int)

var errCallerLeft = errors.New("the function did not return, or its goroutine has given up")

// byCaller calls f on the goroutine that ctx's task works for, if that takes
// calls, and else directly. The wait for the call is shielded, because what f
// uses must not be freed before it returns.
func byCaller(ctx context.Context, f func() error) error {
	c, ok := ctx.Value(callerKey).(*caller)
	if !ok {
		return f()
	}
	_, err := reactor.ToThread(context.WithoutCancel(ctx), func(context.Context) (struct{}, error) {
		k := &call{f: f, err: errCallerLeft}
		if c.tell(func() { c.calls = append(c.calls, k) }) {
			k.over.Wait(context.Background())
		}
		return struct{}{}, k.err
	})
	return err
}

// A call is a function for a caller to call, and its result.
type call struct {
	f    func() error
	err  error // errCallerLeft unless f returned
	over gate.Gate
}

func (k *call) run() {
	defer k.over.Open() // also if f does not return
	k.err = k.f()
}

// tell changes c by f and wakes the goroutine. It reports whether the goroutine
// still takes calls.
func (c *caller) tell(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return false
	}
	f()
	c.news.Open()
	return true
}

// next waits for calls and returns them. If there are none, the task has ended.
func (c *caller) next() []*call {
	c.mu.Lock()
	news := c.news
	c.mu.Unlock()
	news.Wait(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls, c.news = nil, new(gate.Gate)
	if c.ended {
		c.news.Open()
	}
	return calls
}

// leave refuses further calls, and ends those not made: rest, which next has
// returned, and the pending ones.
func (c *caller) leave(rest []*call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
	for _, k := range append(rest, c.calls...) {
		k.over.Open()
	}
}

// serveCalls calls wait(ctx) and makes calls meanwhile. If a call does not
// return, the wait is cancelled.
func serveCalls(ctx context.Context, c *caller, wait func(context.Context) (struct{}, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var err error
	go func() {
		_, failure := wait(ctx)
		c.tell(func() { c.ended, err = true, failure })
	}()
	var calls []*call
	defer func() { c.leave(calls) }()
	for {
		if calls = c.next(); len(calls) == 0 {
			return err
		}
		for len(calls) > 0 {
			k := calls[0]
			calls = calls[1:]
			k.run()
		}
	}
}
