package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

// blockages is what the watchdog reports.
type blockages struct {
	mu   sync.Mutex
	told []Report
	next chan Report
}

func (b *blockages) add(r Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, r)
	b.next <- r
}

const blockedForTest = 10 * time.Millisecond

// runBlocked runs main on a loop that reports, and hands each report to it.
func runBlocked(t *testing.T, o Options, main func(ctx context.Context, reports chan Report) error) error {
	b := &blockages{next: make(chan Report, 100)}
	o.BlockedAfter, o.OnBlocked = blockedForTest, b.add
	return o.Run(context.Background(), func(ctx context.Context) error { return main(ctx, b.next) })
}

// waitOnChannel blocks until that is reported. Where others take the processor, an earlier
// step may have been reported too.
func waitOnChannel(c chan Report) (r Report) {
	for late := time.After(testkit.Patience); !isOf(r, "waitOnChannel"); {
		select {
		case r = <-c:
		case <-late:
			return r
		}
	}
	return r
}

// computeUntil is waitOnChannel for a computation.
func computeUntil(c chan Report) (r Report) {
	for late := time.Now().Add(testkit.Patience); !isOf(r, "computeUntil") && time.Now().Before(late); {
		if len(c) > 0 {
			r = <-c
		}
	}
	return r
}

// isOf reports whether a step in a function is reported.
func isOf(r Report, function string) bool {
	return r.Kind == LoopBlocked && strings.Contains(string(r.Stack), "."+function+"\n\t")
}

// A step that blocks the thread is reported while it does, with its task and
// its stack, and once more when it is over.
func TestBlockedLoop(t *testing.T) {
	for name, c := range map[string]struct {
		block func(ctx context.Context, reports chan Report) (seen Report)
		task  string
		frame string
	}{
		"a channel": {func(_ context.Context, reports chan Report) Report { return waitOnChannel(reports) }, "main", "waitOnChannel"},
		"computing": {func(_ context.Context, reports chan Report) Report { return computeUntil(reports) }, "main", "computeUntil"},
		"in a task among many that are parked": {func(ctx context.Context, reports chan Report) Report {
			for range 100 {
				Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			}
			Yield(ctx)
			r, _ := Async(ctx, func(context.Context) (Report, error) { return waitOnChannel(reports), nil }).Await(ctx)
			return r
		}, "task 102 (reactor.TestBlockedLoop", "waitOnChannel"},
		"a callback": {func(ctx context.Context, reports chan Report) Report {
			var f Future[Report]
			LoopOf(ctx).CallSoon(func() { f.SetResult(waitOnChannel(reports)) })
			r, _ := f.Await(ctx)
			return r
		}, "", "waitOnChannel"},
		"a callback at a time": {func(ctx context.Context, reports chan Report) Report {
			var f Future[Report]
			LoopOf(ctx).CallLater(1, func() { f.SetResult(waitOnChannel(reports)) })
			r, _ := f.Await(ctx)
			return r
		}, "", "waitOnChannel"},
		"a call from elsewhere": {func(ctx context.Context, reports chan Report) Report {
			var f Future[Report]
			l := LoopOf(ctx)
			release := l.Hold()
			go func() {
				l.Post(func() { f.SetResult(waitOnChannel(reports)) })
				release()
			}()
			r, _ := f.Await(ctx)
			return r
		}, "", "waitOnChannel"},
	} {
		t.Run(name, func(t *testing.T) {
			err := runBlocked(t, Options{}, func(ctx context.Context, reports chan Report) error {
				Current(ctx).SetName("main")
				r := c.block(ctx, reports)
				switch {
				case !errors.Is(r.Err, ErrBlocked) || r.Kind != LoopBlocked:
					t.Errorf("told %q: %v", r.What, r.Err)
				case !strings.Contains(r.Task, c.task) || c.task == "" && r.Task != "":
					t.Errorf("of task %q, want %q", r.Task, c.task)
				case !strings.Contains(string(r.Stack), "."+c.frame+"\n\t") || !strings.Contains(string(r.Stack), "watchdog_test.go:"):
					t.Errorf("the stack lacks %s:\n%s", c.frame, r.Stack)
				case strings.Contains(string(r.Stack), "or, of another loop"):
					t.Errorf("more than one stack:\n%s", r.Stack)
				}
				over, _, err := Receive(ctx, reports)
				if over.Kind != LoopUnblocked || !errors.Is(over.Err, ErrBlocked) || over.Stack != nil {
					t.Errorf("then told %q: %v\n%s", over.What, over.Err, over.Stack)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A report tells that other goroutines' calls wait.
func TestBlockedLoopKeepsCallsWaiting(t *testing.T) {
	err := runBlocked(t, Options{}, func(ctx context.Context, reports chan Report) error {
		posted := make(chan struct{})
		go func(l *Loop) {
			l.Post(func() {})
			close(posted)
		}(LoopOf(ctx))
		<-posted
		if r := waitOnChannel(reports); !strings.Contains(r.Err.Error(), "calls from other goroutines wait") {
			t.Error(r.Err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// With several loops, the stack is that of the blocked one.
func TestBlockedLoopAmongOthers(t *testing.T) {
	var busy sync.WaitGroup
	var stop atomic.Bool
	for range 2 {
		busy.Go(func() {
			Run(context.Background(), func(ctx context.Context) error {
				for !stop.Load() {
					Sleep(ctx, time.Microsecond)
				}
				return nil
			})
		})
	}
	err := runBlocked(t, Options{}, func(ctx context.Context, reports chan Report) error {
		return Async(ctx, func(ctx context.Context) (int, error) {
			if r := waitOnChannel(reports); !strings.Contains(string(r.Stack), "waitOnChannel") {
				t.Errorf("told %v\n%s", r.Err, r.Stack)
			}
			return 0, nil
		}).Wait(ctx)
	})
	stop.Store(true)
	busy.Wait()
	if err != nil {
		t.Error(err)
	}
}

// BlockedAfter turned off, and slow steps, which get their stack by the watchdog.
func TestSlowStepHasItsStack(t *testing.T) {
	var told []Report
	err := Options{
		BlockedAfter: -1, SlowStep: 2 * time.Millisecond,
		OnError:   func(r Report) { told = append(told, r) },
		OnBlocked: func(r Report) { t.Errorf("told %v", r.Err) },
	}.Run(context.Background(), func(ctx context.Context) error {
		for try := 0; try < 100; try++ {
			told = nil
			spin(50 * time.Millisecond)
			Yield(ctx)
			if len(told) > 0 && strings.Contains(string(told[0].Stack), ".spin\n") {
				return nil
			}
		}
		return fmt.Errorf("told %v", told)
	})
	if err != nil {
		t.Error(err)
	}
}

func spin(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}
