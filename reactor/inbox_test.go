package reactor

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy"
)

func TestPostFromManyGoroutines(t *testing.T) {
	const senders, each = 8, 300
	runReal(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		defer l.Hold()()
		var got [senders]int
		total := 0
		var all Future[int]
		for s := range senders {
			go func() {
				for i := range each {
					if err := l.Post(func() {
						if got[s] != i {
							t.Errorf("sender %d: %d came when %d was due", s, i, got[s])
						}
						got[s]++
						if total++; total == senders*each {
							all.SetResult(total)
						}
					}); err != nil {
						t.Error(err)
					}
					if i%16 == 0 {
						runtime.Gosched() // let the loop fall asleep now and then
					}
				}
			}()
		}
		_, err := all.Await(ctx)
		return err
	})
}

// One message at a time to a loop that has nothing else: each must wake it.
func TestNoWakeIsLost(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		defer l.Hold()()
		n := 2000
		if testing.Short() {
			n = 200
		}
		for i := range n {
			var f Future[int]
			go l.Post(func() { f.SetResult(i) })
			if i%2 == 0 {
				Yield(ctx)
			}
			if v, err := f.Await(ctx); v != i || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		}
		return nil
	})
}

// While loops start, run and end: a Post that got no error while main was
// alive has run, and one that got an error has not.
func TestPostWhileLoopsStartAndEnd(t *testing.T) {
	var loop atomic.Pointer[Loop]
	var stop atomic.Bool
	var wg sync.WaitGroup
	var accepted, refused, ran, submitted, answered atomic.Int64
	for range 3 {
		wg.Go(func() {
			for !stop.Load() {
				l := loop.Load()
				if l == nil {
					runtime.Gosched()
					continue
				}
				if l.Post(func() { ran.Add(1) }) == nil {
					accepted.Add(1)
				} else {
					refused.Add(1)
				}
				submitted.Add(1)
				wait := Submit(l, func(ctx context.Context) (int, error) { return 7, Yield(ctx) })
				c, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				if v, err := wait(c); v == 7 || err == ErrLoopClosed || c.Err() == nil {
					answered.Add(1)
				}
				cancel()
			}
		})
	}
	loops := 100
	for range loops {
		err := Run(context.Background(), func(ctx context.Context) error {
			loop.Store(LoopOf(ctx))
			return Sleep(ctx, 100*time.Microsecond)
		})
		if err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	wg.Wait()
	if ran.Load() > accepted.Load() || submitted.Load() != answered.Load() {
		t.Errorf("%d ran of %d, %d submissions answered of %d", ran.Load(), accepted.Load(), answered.Load(), submitted.Load())
	}
	if refused.Load() == 0 || ran.Load() == 0 {
		t.Logf("%d refused, %d ran: the race was not tried", refused.Load(), ran.Load())
	}
}

// Functions posted before main returned are called, in whichever order the loop
// notices the two.
func TestPostJustBeforeTheEnd(t *testing.T) {
	ran := 0
	run(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		for range 3 {
			if err := l.Post(func() { ran++ }); err != nil {
				return err
			}
		}
		return nil
	})
	if ran != 3 {
		t.Errorf("%d of 3 ran", ran)
	}
}

func TestPostAfterTheEnd(t *testing.T) {
	var l *Loop
	runReal(t, func(ctx context.Context) error { l = LoopOf(ctx); return nil })
	if err := l.Post(func() { t.Error("called") }); err != ErrLoopClosed {
		t.Errorf("got %v", err)
	}
}

// Functions that a posted function posts run in a later turn, so they starve no
// task.
func TestPostFromAPostedFunction(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		n := 0
		var again func()
		again = func() {
			if n++; n < 1000 {
				l.Post(again)
			}
		}
		l.Post(again)
		yields(ctx, 10)
		if n > 11 {
			t.Errorf("%d calls in 10 turns", n)
		}
		n = 1000
		return nil
	})
}

// An edge is a poller whose Wait ends by a Wake only, and quickly.
type edge struct {
	*world
	round atomic.Int64 // the loop is about to sleep
}

func (e *edge) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if timeout == 0 {
		return nil, nil
	}
	return e.world.Wait(-1)
}

// Messages posted at all moments around the time when the loop falls asleep.
func TestNoWakeIsLostAtTheEdge(t *testing.T) {
	const rounds = 6000
	e := &edge{world: newWorld(t)}
	setup{Options: Options{Poller: e}}.run(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		defer l.Hold()()
		var f *Future[int]
		var sink int
		go func() {
			for i := int64(1); i <= rounds && !t.Failed(); i++ {
				for e.round.Load() < i && !t.Failed() {
				}
				for j := range i % 401 { // whenever in between
					sink += int(j)
				}
				l.Post(func() { f.SetResult(1) })
			}
		}()
		for i := int64(1); i <= rounds && !t.Failed(); i++ {
			f = new(Future[int])
			e.round.Store(i)
			f.Await(ctx)
		}
		return nil
	})
}
