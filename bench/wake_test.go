package bench

import (
	"context"
	"runtime"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkWake is a message to one that sleeps, and its answer. A loop is a
// thread; so beside the goroutine there is one that is locked to its thread.
func BenchmarkWake(b *testing.B) {
	b.Run("post", func(b *testing.B) {
		onLoop(b, func(l *reactor.Loop) {
			answer := make(chan struct{})
			for range b.N {
				l.Post(func() { answer <- struct{}{} })
				<-answer
			}
		})
	})
	b.Run("goroutine", func(b *testing.B) { pingPong(b, func() {}) })
	b.Run("locked_goroutine", func(b *testing.B) { pingPong(b, runtime.LockOSThread) })
}

// BenchmarkPost is messages without an answer, of which a loop that is awake
// takes many at a time.
func BenchmarkPost(b *testing.B) {
	b.Run("post", func(b *testing.B) {
		onLoop(b, func(l *reactor.Loop) {
			done, left := make(chan struct{}), b.N
			for range b.N {
				l.Post(func() {
					if left--; left == 0 {
						close(done)
					}
				})
			}
			<-done
		})
	})
	b.Run("channel", func(b *testing.B) {
		b.ReportAllocs()
		c, done := make(chan func(), 1024), make(chan struct{})
		left := b.N
		go func() {
			for f := range c {
				f()
			}
			close(done)
		}()
		for range b.N {
			c <- func() { left-- }
		}
		close(c)
		<-done
	})
}

// onLoop calls f on this goroutine while a loop on another sleeps.
func onLoop(b *testing.B, f func(l *reactor.Loop)) {
	loops, end := make(chan *reactor.Loop), make(chan error)
	var stop reactor.Event
	go func() {
		end <- reactor.Run(context.Background(), func(ctx context.Context) error {
			l := reactor.LoopOf(ctx)
			defer l.Hold()()
			loops <- l
			return stop.Wait(ctx)
		})
	}()
	l := <-loops
	b.ReportAllocs()
	b.ResetTimer()
	f(l)
	b.StopTimer()
	l.Post(stop.Set)
	if err := <-end; err != nil {
		b.Fatal(err)
	}
}

// pingPong sends to a goroutine that has begun with prepare, and back.
func pingPong(b *testing.B, prepare func()) {
	b.ReportAllocs()
	ask, answer := make(chan struct{}), make(chan struct{})
	go func() {
		prepare()
		for range ask {
			answer <- struct{}{}
		}
	}()
	for range b.N {
		ask <- struct{}{}
		<-answer
	}
	close(ask)
}
