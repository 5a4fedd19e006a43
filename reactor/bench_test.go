package reactor

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"
)

// bench runs f as the main function of a loop with the real clock and poller.
func bench(b *testing.B, f func(ctx context.Context)) {
	b.Helper()
	b.ReportAllocs()
	if err := Run(context.Background(), func(ctx context.Context) error { f(ctx); return nil }); err != nil {
		b.Fatal(err)
	}
}

// A yield through the ready queue, with a number of tasks in it.
func BenchmarkYield(b *testing.B) {
	for _, n := range []int{1, 10, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench(b, func(ctx context.Context) {
				each := max(1, b.N/n)
				tasks := make([]*Task[struct{}], n)
				for i := range tasks {
					tasks[i] = Go(ctx, func(ctx context.Context) error {
						Yield(ctx) // so that all have begun
						for range each {
							Yield(ctx)
						}
						return nil
					})
				}
				Yield(ctx)
				b.ResetTimer()
				for _, t := range tasks {
					t.Wait(ctx)
				}
				b.StopTimer()
			})
		})
	}
}

func BenchmarkSpawn(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		bench(b, func(ctx context.Context) {
			f := func(context.Context) error { return nil }
			for b.Loop() {
				Go(ctx, f).Wait(ctx)
			}
		})
	})
	b.Run("go", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			done := make(chan error)
			go func() { done <- nil }()
			<-done
		}
	})
}

func BenchmarkGather(b *testing.B) {
	const n = 1000
	b.Run("1000/eddy", func(b *testing.B) {
		bench(b, func(ctx context.Context) {
			fs := make([]func(context.Context) (int, error), n)
			for i := range fs {
				fs[i] = func(context.Context) (int, error) { return i, nil }
			}
			for b.Loop() {
				Gather(ctx, fs...)
			}
		})
	})
	b.Run("1000/go", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var wg sync.WaitGroup
			got := make([]int, n)
			for i := range n {
				wg.Go(func() { got[i] = i })
			}
			wg.Wait()
		}
	})
}

func BenchmarkSleep0(b *testing.B) {
	bench(b, func(ctx context.Context) {
		for b.Loop() {
			Sleep(ctx, 0)
		}
	})
}

// A sleep that goes through the wheel and wakes, on a clock that jumps: what the
// timer costs, without the time that passes.
func BenchmarkSleepTimer(b *testing.B) {
	b.ReportAllocs()
	v := newWorld(b)
	Options{Clock: v, Poller: v}.Run(context.Background(), func(ctx context.Context) error {
		for b.Loop() {
			Sleep(ctx, time.Millisecond)
		}
		return nil
	})
}

// A result passed to a waiting task, and one back.
func BenchmarkFuture(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		bench(b, func(ctx context.Context) {
			var ping, pong Future[int]
			Go(ctx, func(ctx context.Context) error {
				for {
					if _, err := ping.Await(ctx); err != nil {
						return err
					}
					ping = Future[int]{}
					pong.SetResult(1)
				}
			})
			for b.Loop() {
				ping.SetResult(1)
				pong.Await(ctx)
				pong = Future[int]{}
			}
		})
	})
	b.Run("go", func(b *testing.B) {
		b.ReportAllocs()
		ping, pong := make(chan int), make(chan int)
		go func() {
			for range ping {
				pong <- 1
			}
		}()
		for b.Loop() {
			ping <- 1
			<-pong
		}
		close(ping)
	})
}

// A message from another goroutine to a loop that sleeps, and an answer.
func BenchmarkPost(b *testing.B) {
	bench(b, func(ctx context.Context) {
		l := LoopOf(ctx)
		defer l.Hold()()
		asked, done := make(chan *Future[int]), make(chan bool)
		go func() {
			for f := range asked {
				l.Post(func() { f.SetResult(1) })
			}
			close(done)
		}()
		for b.Loop() {
			f := new(Future[int])
			asked <- f
			f.Await(ctx)
		}
		close(asked)
		<-done
	})
}

// The coroutine switch below everything here, for scale: there and back.
func BenchmarkPull(b *testing.B) {
	b.ReportAllocs()
	next, stop := iter.Pull(func(yield func(int) bool) {
		for yield(1) {
		}
	})
	defer stop()
	for b.Loop() {
		next()
	}
}
