// Package timers has operations on timers, of eddy and of package time, for the
// benchmarks and for the program that compares them. Meanwhile other timers are
// pending, due between a minute and an hour from now.
package timers

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/timerwheel"
)

// A Case is one operation, done in several ways. The way "time" is package
// time's.
type Case struct {
	Name string
	Ways []Way
}

// A Way prepares a number of pending timers, and returns a function that does
// the operation n times, and one that cleans up. Both must be called by the
// goroutine that prepared.
type Way struct {
	Name  string
	Start func(pending int) (do func(n int), stop func())
}

// Cases are all the cases.
var Cases = []Case{
	{"add+cancel", []Way{{"wheel", wheelAddCancel}, {"loop", loopAddCancel}, {"time", timeAddStop}}},
	{"reset", []Way{{"wheel", wheelReset}, {"time", timeReset}}},
	{"add+fire", []Way{{"wheel", wheelAddFire}, {"loop", loopAddFire}, {"time", timeAddFire}}},
}

// table is a power of two of precomputed distances, so that no random number is
// drawn while time is measured.
const table = 4096

func distances() (d [table]int64) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range d {
		d[i] = distance(rng)
	}
	return d
}

func distance(rng *rand.Rand) int64 {
	return int64(time.Minute) + rng.Int64N(int64(59*time.Minute))
}

type wheel = timerwheel.Wheel[int]
type timer = timerwheel.Timer[int]

func fill(pending int) (*wheel, []timer) {
	w, timers := new(wheel), make([]timer, pending)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range timers {
		w.Add(&timers[i], distance(rng))
	}
	return w, timers
}

func fillTime(pending int) (timers []*time.Timer, stop func()) {
	timers = make([]*time.Timer, pending)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range timers {
		timers[i] = time.AfterFunc(time.Duration(distance(rng)), func() {})
	}
	return timers, func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

func wheelAddCancel(pending int) (func(int), func()) {
	w, _ := fill(pending)
	d, t := distances(), new(timer)
	return func(n int) {
		for i := range n {
			w.Add(t, d[i%table])
			w.Cancel(t)
		}
	}, func() {}
}

func timeAddStop(pending int) (func(int), func()) {
	_, stop := fillTime(pending)
	d := distances()
	return func(n int) {
		for i := range n {
			time.AfterFunc(time.Duration(d[i%table]), func() {}).Stop()
		}
	}, stop
}

// shuffled returns a random order, which is bad for caches: like timers of
// connections that are used at random.
func shuffled(n int) []int { return rand.New(rand.NewPCG(5, 6)).Perm(n) }

func wheelReset(pending int) (func(int), func()) {
	w, timers := fill(pending)
	d, order, k := distances(), shuffled(pending), 0
	return func(n int) {
		for i := range n {
			w.Reset(&timers[order[k]], d[i%table])
			if k++; k == pending {
				k = 0
			}
		}
	}, func() {}
}

func timeReset(pending int) (func(int), func()) {
	timers, stop := fillTime(pending)
	d, order, k := distances(), shuffled(pending), 0
	return func(n int) {
		for i := range n {
			timers[order[k]].Reset(time.Duration(d[i%table]))
			if k++; k == pending {
				k = 0
			}
		}
	}, stop
}

// batch is how many timers are added before they fire.
const batch = 1024

// batches calls f with batch sizes that add up to n.
func batches(n int, f func(n int)) {
	for ; n > 0; n -= batch {
		f(min(n, batch))
	}
}

// wheelAddFire adds timers that are due within 100 µs, and goes from one
// deadline to the next, like a loop.
func wheelAddFire(pending int) (func(int), func()) {
	w, _ := fill(pending)
	d, timers, now := distances(), make([]timer, batch), int64(0)
	return func(n int) {
		batches(n, func(n int) {
			for i := range n {
				w.Add(&timers[i], now+d[i]%int64(100*time.Microsecond))
			}
			for fired := 0; fired < n; {
				if w.Pop(now) == nil {
					now, _ = w.Next()
				} else {
					fired++
				}
			}
		})
	}, func() {}
}

// timeAddFire adds timers that are due at once: no waiting is measured.
func timeAddFire(pending int) (func(int), func()) {
	_, stop := fillTime(pending)
	var fired sync.WaitGroup
	return func(n int) {
		batches(n, func(n int) {
			fired.Add(n)
			for range n {
				time.AfterFunc(0, fired.Done)
			}
			fired.Wait()
		})
	}, stop
}

func loopAddCancel(pending int) (func(int), func()) {
	d := distances()
	return onLoop(pending, func(_ context.Context, l *reactor.Loop, n int) {
		for i := range n {
			l.CallLater(time.Duration(d[i%table]), func() {}).Stop()
		}
	})
}

func loopAddFire(pending int) (func(int), func()) {
	return onLoop(pending, func(ctx context.Context, l *reactor.Loop, n int) {
		batches(n, func(n int) {
			fired := 0
			for range n {
				l.CallLater(1, func() { fired++ }) // 0 would not be a timer
			}
			for fired < n {
				reactor.Yield(ctx)
			}
		})
	})
}

// onLoop runs f on a loop of its own. Between calls its main task blocks the
// loop, so that the loop uses no processor time.
func onLoop(pending int, f func(ctx context.Context, l *reactor.Loop, n int)) (do func(int), stop func()) {
	ask, done := make(chan int), make(chan struct{})
	main := func(ctx context.Context) error {
		l := reactor.LoopOf(ctx)
		rng := rand.New(rand.NewPCG(3, 4))
		for range pending {
			l.CallLater(time.Duration(distance(rng)), func() {})
		}
		done <- struct{}{}
		for n := range ask {
			f(ctx, l, n)
			done <- struct{}{}
		}
		return nil
	}
	go func() {
		defer close(done)
		reactor.Run(context.Background(), main)
	}()
	<-done
	return func(n int) { ask <- n; <-done }, func() { close(ask); <-done }
}
