package reactor

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestReceive(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		ch := make(chan int, 1)
		want := func(tag string, value int, ok bool) {
			t.Helper()
			if v, o, err := Receive(ctx, ch); v != value || o != ok || err != nil {
				t.Errorf("%s: %d, %v, %v", tag, v, o, err)
			}
		}
		ch <- 7
		turned := false
		LoopOf(ctx).CallSoon(func() { turned = true })
		want("at once", 7, true)
		if turned {
			t.Error("it suspended for what was there")
		}
		go func() { ch <- 8 }()
		want("later", 8, true)
		unbuffered := make(chan int)
		go func() { unbuffered <- 9 }()
		if v, ok, err := Receive(ctx, unbuffered); v != 9 || !ok || err != nil {
			t.Errorf("unbuffered: %d, %v, %v", v, ok, err)
		}
		time.AfterFunc(time.Millisecond, func() { close(ch) })
		want("closed while it waits", 0, false)
		want("closed before", 0, false)
		if _, _, err := Receive(doneCtx(ctx), ch); !errors.Is(err, errBoom) {
			t.Errorf("under a done ctx: %v", err)
		}
		return nil
	})
}

func TestReceiveCancelled(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		ch := make(chan int)
		for _, ch := range []chan int{nil, ch} {
			err := Timeout(ctx, time.Millisecond, func(ctx context.Context) error {
				_, _, err := Receive(ctx, ch)
				return err
			})
			if !timedOut(err) {
				t.Error(err)
			}
		}
		select {
		case ch <- 1:
			t.Error("somebody still receives")
		default:
		}
		return nil
	})
}

// While a task waits for a channel, a goroutine may send: no deadlock.
func TestReceiveIsNoDeadlock(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		ch := make(chan int)
		time.AfterFunc(2*time.Millisecond, func() { ch <- 1 })
		_, _, err := Receive(ctx, ch)
		return err
	})
}

// At any moment of the cancellation, a value that was sent is received or still
// in the channel.
func TestReceiveLosesNothing(t *testing.T) {
	const rounds = 2000
	runReal(t, func(ctx context.Context) error {
		ch := make(chan int)
		got, cancelled := 0, 0
		var sender sync.WaitGroup
		sender.Go(func() {
			for i := range rounds {
				for range i % 64 { // so that the cancellation comes first, now and then
					runtime.Gosched()
				}
				ch <- i
			}
			close(ch)
		})
		for i := 0; ; i++ {
			var value int
			var ok bool
			task := GoNow(ctx, func(ctx context.Context) (err error) {
				value, ok, err = Receive(ctx, ch)
				return err
			})
			for range i % 4 {
				runtime.Gosched()
			}
			if i%2 == 0 {
				Yield(ctx)
			}
			task.Cancel(nil)
			switch err := task.Wait(ctx); {
			case err != nil:
				cancelled++
			case !ok:
				if sender.Wait(); got != rounds {
					t.Errorf("received %d of %d", got, rounds)
				}
				t.Logf("%d receives cancelled", cancelled)
				return nil
			case value != got:
				t.Fatalf("received %d, want %d", value, got)
			default:
				got++
			}
		}
	})
}

// A receive that is cut off at the loop's end leaves no goroutine.
func TestReceiveCutOff(t *testing.T) {
	var told reports
	err := setup{Options: Options{Grace: time.Millisecond, OnError: told.add}, leaky: true}.run(t, func(ctx context.Context) error {
		GoNow(context.WithoutCancel(ctx), func(ctx context.Context) error {
			_, _, err := Receive(context.WithoutCancel(ctx), make(chan int))
			return err
		})
		return nil
	})
	if err != nil || told.count("cut off") != 1 {
		t.Errorf("%v, told %v", err, told)
	}
}
