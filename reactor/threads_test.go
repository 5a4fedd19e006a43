package reactor

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
)

// The ctx that a function in a thread gets is that of the call: with its values, with
// its deadline, and done when it is, also for what the standard library makes of it.
func TestThreadsHaveACtx(t *testing.T) {
	type key struct{}
	for name, end := range map[string]func(ctx context.Context, f func(ctx context.Context) error) error{
		"a Timeout": func(ctx context.Context, f func(ctx context.Context) error) error {
			return Timeout(ctx, time.Millisecond, f)
		},
		"a cancelled task": func(ctx context.Context, f func(ctx context.Context) error) error {
			task := Go(ctx, f)
			Sleep(ctx, time.Millisecond)
			task.Cancel(errBoom)
			return task.Wait(ctx)
		},
		"a std timeout": func(ctx context.Context, f func(ctx context.Context) error) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			return f(ctx)
		},
	} {
		runReal(t, func(ctx context.Context) error {
			seen := make(chan error, 100)
			var called atomic.Bool
			use := func(ctx context.Context) error {
				_, err := ToThread(ctx, func(ctx context.Context) (int, error) {
					called.Store(true)
					if ctx.Value(key{}) != 7 {
						t.Errorf("%s: the ctx has not the values of the call's", name)
					}
					derived, cancel := context.WithCancel(ctx)
					defer cancel()
					<-derived.Done()
					seen <- derived.Err()
					return 0, derived.Err()
				})
				return err
			}
			var err error
			for !called.Load() { // on a busy machine the ctx may be done before
				if err = end(context.WithValue(ctx, key{}, 7), use); err == nil {
					return errors.New("no error")
				}
			}
			if inside := <-seen; inside == nil || !errors.Is(err, inside) {
				t.Errorf("%s: the thread saw %v, and its caller %v", name, inside, err)
			}
			return nil
		})
	}
}

// A library that uses contexts, and waits for its own goroutines, is cancelled
// with the task whose thread it runs in.
func TestThreadsCancelLibraries(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	get := func(ctx context.Context) (*http.Response, error) {
		q, err := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
		if err != nil {
			return nil, err
		}
		return client.Do(q)
	}
	runReal(t, func(ctx context.Context) error {
		returned := make(chan error, 1)
		task := Go(ctx, func(ctx context.Context) error {
			_, err := ToThread(ctx, func(ctx context.Context) (int, error) {
				_, err := get(ctx)
				returned <- err
				return 0, err
			})
			return err
		})
		if _, _, err := Receive(ctx, asked); err != nil {
			return err
		}
		task.Cancel(nil)
		if err := task.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the task: %v", err)
		}
		if err := <-returned; !errors.Is(err, context.Canceled) {
			t.Errorf("the library: %v", err)
		}
		return nil
	})
}

// inThreads makes n calls in threads at the same time.
func inThreads(ctx context.Context, n int) error {
	return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
		for range n {
			g.Go(func(ctx context.Context) error {
				_, err := ToThread(ctx, func(context.Context) (int, error) { return 0, nil })
				return err
			})
		}
		return nil
	})
}

// Goroutines make one call after the other, and there are no more than were ever busy
// at a time. Those that are not needed for long go; so do all at the loop's end.
func TestThreadsAreUsedAgain(t *testing.T) {
	v := newWorld(t)
	setup{world: v}.run(t, func(ctx context.Context) error {
		p := &LoopOf(ctx).threads
		for range 10 {
			if err := inThreads(ctx, 1); err != nil {
				return err
			}
		}
		if n := len(p.idle); n != 1 {
			t.Errorf("after 10 calls, one at a time, %d threads are idle", n)
		}
		if err := inThreads(ctx, 8); err != nil {
			return err
		}
		most := len(p.idle)
		if most == 0 || most > 8 {
			t.Errorf("after 8 calls at a time, %d threads are idle", most)
		}
		for range most {
			if err := Sleep(ctx, idleTime); err != nil {
				return err
			}
			if err := inThreads(ctx, 1); err != nil {
				return err
			}
			if len(p.idle) == 0 {
				t.Error("the thread that was used last has gone")
			}
		}
		if n := len(p.idle); n > 1 {
			t.Errorf("%d threads are idle that have not been needed for %v", n, idleTime)
		}
		return nil
	})
}

// A call does not affect later ones: a goroutine that a function has exited is
// not reused, and a panic belongs to its own call.
func TestThreadsAreCleanAfterwards(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		p := &LoopOf(ctx).threads
		for range 3 {
			if _, err := ToThread(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }); err == nil {
				t.Error("an exit went unnoticed")
			}
			if len(p.idle) != 0 {
				t.Error("a goroutine that has exited is kept")
			}
		}
		for _, name := range []string{"first", "second"} {
			task := Go(ctx, func(ctx context.Context) error {
				_, err := ToThread(ctx, func(ctx context.Context) (int, error) { return 0, explode(ctx) })
				return err
			})
			task.SetName(name)
			var panicked *PanicError
			if err := task.Wait(ctx); !errors.As(err, &panicked) || !strings.Contains(panicked.Task, name) {
				t.Errorf("%s: %v", name, err)
			}
			if len(p.idle) != 1 {
				t.Errorf("%d threads are idle after a panic", len(p.idle))
			}
		}
		return nil
	})
}

// A thread that the loop's end did not wait for ends when its call does.
func TestThreadsOfALoopThatEnded(t *testing.T) {
	release, returned := make(chan bool), new(atomic.Bool)
	setup{Options: Options{Grace: time.Millisecond}, leaky: true, log: new(journal)}.run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			_, err := ToThread(ctx, func(context.Context) (int, error) { <-release; returned.Store(true); return 0, nil })
			return err
		})
		time.AfterFunc(50*time.Millisecond, func() { close(release) })
		return inThreads(ctx, 3)
	})
	testkit.Eventually(t, "the call returns", returned.Load)
}

// A wakeCounter counts how often the loop is woken.
type wakeCounter struct {
	*eddy.Poller
	wakes atomic.Int64
}

func (c *wakeCounter) Wake() error {
	c.wakes.Add(1)
	return c.Poller.Wake()
}

// Functions that return quickly, many at a time, do not put the loop to sleep. Other
// programs may delay them, so one run out of several has to show it.
func TestThreadsThatAreQuickWakeNobody(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // or some return while others begin
	const rounds = 100
	var wakes int64
	for range 20 {
		if wakes = wakesOfThreads(t, rounds); wakes <= rounds/2 {
			return
		}
	}
	t.Errorf("%d wakes in %d rounds of 8 calls", wakes, rounds)
}

func wakesOfThreads(t *testing.T, rounds int) int64 {
	kernel, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	p := &wakeCounter{Poller: kernel}
	setup{Options: Options{Poller: p}}.run(t, func(ctx context.Context) error {
		for range rounds {
			if err := inThreads(ctx, 8); err != nil {
				return err
			}
		}
		return nil
	})
	return p.wakes.Load()
}
