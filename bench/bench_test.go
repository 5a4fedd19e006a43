package bench

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/timerwheel"
)

// run runs f as the main task of a loop.
func run(b *testing.B, f func(ctx context.Context)) {
	b.Helper()
	b.ReportAllocs()
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		b.ResetTimer()
		f(ctx)
		b.StopTimer()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkResume(b *testing.B) {
	b.Run("pull", func(b *testing.B) {
		next, stop := iter.Pull(func(yield func(int) bool) {
			for yield(1) {
			}
		})
		defer stop()
		for range b.N {
			next()
		}
	})
	b.Run("generator", func(b *testing.B) {
		g := coro.New(func(y *coro.Yielder[int, struct{}]) (struct{}, error) {
			for {
				if _, err := y.Yield(1); err != nil {
					return struct{}{}, err
				}
			}
		})
		defer g.Close()
		for range b.N {
			g.Next()
		}
	})
	b.Run("channels", func(b *testing.B) {
		ask, answer := make(chan struct{}), make(chan int)
		go func() {
			for range ask {
				answer <- 1
			}
		}()
		for range b.N {
			ask <- struct{}{}
			<-answer
		}
		close(ask)
	})
}

func BenchmarkYield(b *testing.B) {
	for _, n := range []int{1, 1000, 10000} {
		b.Run(fmt.Sprintf("tasks=%d/eddy", n), func(b *testing.B) {
			run(b, func(ctx context.Context) {
				reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
					for i := range n {
						g.Go(func(ctx context.Context) error {
							for range share(b.N, n, i) {
								reactor.Yield(ctx)
							}
							return nil
						})
					}
					return nil
				})
			})
		})
		b.Run(fmt.Sprintf("tasks=%d/gosched", n), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					for range share(b.N, n, i) {
						runtime.Gosched()
					}
				})
			}
			wg.Wait()
		})
	}
}

// share is the i-th of n parts of total.
func share(total, n, i int) int { return (total + n - 1 - i) / n }

func BenchmarkSpawn(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			for range b.N {
				reactor.Go(ctx, func(context.Context) error { return nil }).Wait(ctx)
			}
		})
	})
	b.Run("goroutine", func(b *testing.B) {
		b.ReportAllocs()
		done := make(chan error)
		for range b.N {
			go func() { done <- nil }()
			<-done
		}
	})
}

func BenchmarkGather1000(b *testing.B) {
	const n = 1000
	b.Run("eddy", func(b *testing.B) {
		fs := make([]func(context.Context) (int, error), n)
		for i := range fs {
			fs[i] = func(ctx context.Context) (int, error) { return i, reactor.Yield(ctx) }
		}
		run(b, func(ctx context.Context) {
			for range b.N {
				reactor.Gather(ctx, fs...)
			}
		})
	})
	b.Run("waitgroup", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			values := make([]int, n)
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { runtime.Gosched(); values[i] = i })
			}
			wg.Wait()
		}
	})
}

func BenchmarkHandoff(b *testing.B) {
	b.Run("queue", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			q := reactor.Queue[int]{Max: 1}
			reader := reactor.Go(ctx, func(ctx context.Context) error {
				for range q.All(ctx) {
				}
				return nil
			})
			for i := range b.N {
				q.Put(ctx, i)
			}
			q.Close()
			reader.Wait(ctx)
		})
	})
	b.Run("channel", func(b *testing.B) {
		b.ReportAllocs()
		c, done := make(chan int, 1), make(chan struct{})
		go func() {
			for range c {
			}
			close(done)
		}()
		for i := range b.N {
			c <- i
		}
		close(c)
		<-done
	})
}

func BenchmarkMutex(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			var m reactor.Mutex
			for range b.N {
				m.Lock(ctx)
				m.Unlock()
			}
		})
	})
	b.Run("sync", func(b *testing.B) {
		var m sync.Mutex
		for range b.N {
			m.Lock()
			m.Unlock()
		}
	})
}

func BenchmarkSleep(b *testing.B) {
	b.Run("zero", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			for range b.N {
				reactor.Sleep(ctx, 0)
			}
		})
	})
	b.Run("1000 sleepers", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				for i := range 1000 {
					g.Go(func(ctx context.Context) error {
						for range share(b.N, 1000, i) {
							reactor.Sleep(ctx, time.Microsecond)
						}
						return nil
					})
				}
				return nil
			})
		})
	})
}

// BenchmarkWake is a message to a loop that sleeps, and the answer.
func BenchmarkWake(b *testing.B) {
	b.Run("post", func(b *testing.B) {
		loops, end := make(chan *reactor.Loop), make(chan error)
		var stop reactor.Event
		go func() {
			end <- reactor.Run(context.Background(), func(ctx context.Context) error {
				loops <- reactor.LoopOf(ctx)
				return stop.Wait(ctx)
			})
		}()
		l, answer := <-loops, make(chan struct{})
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			l.Post(func() { answer <- struct{}{} })
			<-answer
		}
		b.StopTimer()
		l.Post(stop.Set)
		<-end
	})
	b.Run("channel", func(b *testing.B) {
		ask, answer := make(chan struct{}), make(chan struct{})
		go func() {
			for range ask {
				answer <- struct{}{}
			}
		}()
		for range b.N {
			ask <- struct{}{}
			<-answer
		}
		close(ask)
	})
}

// BenchmarkTimers adds and cancels a timer while others are pending.
func BenchmarkTimers(b *testing.B) {
	for _, pending := range []int{1000, 100_000, 1_000_000} {
		var w timerwheel.Wheel[int]
		timers := make([]timerwheel.Timer[int], pending+1)
		for i := range pending {
			w.Add(&timers[i], int64(time.Hour)+int64(i)*7919)
		}
		one := &timers[pending]
		b.Run(fmt.Sprintf("pending=%d/wheel", pending), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				w.Add(one, int64(time.Minute)+int64(i)*104729%int64(time.Hour))
				w.Cancel(one)
			}
		})
		b.Run(fmt.Sprintf("pending=%d/afterfunc", pending), func(b *testing.B) {
			held := make([]*time.Timer, pending)
			for i := range held {
				held[i] = time.AfterFunc(time.Hour+time.Duration(i)*7919, func() {})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				time.AfterFunc(time.Minute+time.Duration(i)*104729%time.Hour, func() {}).Stop()
			}
			b.StopTimer()
			for _, t := range held {
				t.Stop()
			}
		})
	}
}
