package reactor

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"

	"golang.org/x/sys/unix"
)

func TestRunReturnsMainsError(t *testing.T) {
	if err := (setup{}).run(t, func(context.Context) error { return errBoom }); err != errBoom {
		t.Errorf("got %v", err)
	}
	runReal(t, func(context.Context) error { return nil })
	if err := Run(context.Background(), nil); err == nil {
		t.Error("a nil main was accepted")
	}
}

func TestRunTwiceOnOneGoroutine(t *testing.T) {
	for range 3 {
		runReal(t, func(ctx context.Context) error { return Sleep(ctx, time.Microsecond) })
	}
}

func TestRunInsideATaskIsRefused(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		never := func(context.Context) error { t.Error("the nested main ran"); return nil }
		for name, c := range map[string]context.Context{"own": ctx, "background": context.Background()} {
			if err := Run(c, never); err != ErrNested {
				t.Errorf("%s: %v", name, err)
			}
		}
		// On another thread it is not a nested loop.
		_, err := ToThread(ctx, func(context.Context) (int, error) {
			return 0, Run(context.Background(), func(ctx context.Context) error { return Yield(ctx) })
		})
		return err
	})
}

func TestRunWithACtxThatIsDone(t *testing.T) {
	cause, cancel := context.WithCancelCause(context.Background())
	cancel(errBoom)
	past, stop := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer stop()
	never := func(context.Context) error { t.Error("main ran"); return nil }
	if err := (setup{ctx: cause}).run(t, never); !errors.Is(err, context.Canceled) || !errors.Is(err, errBoom) {
		t.Errorf("canceled: %v", err)
	}
	if err := (setup{ctx: past}).run(t, never); err != context.DeadlineExceeded {
		t.Errorf("past its deadline: %v", err)
	}
}

func TestRunsCtxCancelledFromAnotherGoroutine(t *testing.T) {
	outer, cancel := context.WithCancelCause(context.Background())
	var child error
	err := setup{ctx: outer}.run(t, func(ctx context.Context) error {
		kid := Go(ctx, func(ctx context.Context) error { child = Sleep(ctx, time.Hour); return child })
		go cancel(errBoom)
		err := Sleep(ctx, time.Hour)
		if Cause(ctx) != errBoom || ctx.Err() != context.Canceled {
			t.Errorf("Cause %v, Err %v", Cause(ctx), ctx.Err())
		}
		return errors.Join(err, kid.Wait(context.WithoutCancel(ctx)))
	})
	if !errors.Is(err, errBoom) || !errors.Is(err, context.Canceled) || !errors.Is(child, errBoom) {
		t.Errorf("main %v, child %v", err, child)
	}
}

func TestRunsCtxGivesValuesAndDeadline(t *testing.T) {
	type key struct{}
	deadline := time.Now().Add(time.Hour)
	outer, cancel := context.WithDeadline(context.WithValue(context.Background(), key{}, 7), deadline)
	defer cancel()
	setup{ctx: outer}.run(t, func(ctx context.Context) error {
		if d, ok := ctx.Deadline(); !ok || !d.Equal(deadline) {
			t.Errorf("deadline %v %v", d, ok)
		}
		return Go(ctx, func(ctx context.Context) error {
			if ctx.Value(key{}) != 7 || ctx.Value("none") != nil {
				t.Error("values are lost")
			}
			return nil
		}).Wait(ctx)
	})
}

// asyncio case 01.
func TestReadyIsFIFOAndASnapshot(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var tr trace
		Facade(l).CallSoon(func() { tr.add("a"); Facade(l).CallSoon(func() { tr.add("a2") }) })
		Facade(l).CallSoon(func() { tr.add("b"); Facade(l).CallSoon(func() { tr.add("b2") }) })
		Facade(l).CallSoon(func() { tr.add("c"); checkNow(t, l) })
		Yield(ctx)
		tr.add("main1")
		Yield(ctx)
		tr.add("main2")
		tr.want(t, "a b c main1 a2 b2 main2")
		return nil
	})
}

// asyncio case 09.
func TestYieldIsRoundRobin(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		var tasks []*Task[struct{}]
		for _, name := range []string{"a", "b", "c"} {
			tasks = append(tasks, Go(ctx, func(ctx context.Context) error {
				for i := range 3 {
					tr.add("%s%d", name, i)
					Yield(ctx)
				}
				return nil
			}))
		}
		for _, task := range tasks {
			task.Wait(ctx)
		}
		tr.want(t, "a0 b0 c0 a1 b1 c1 a2 b2 c2")
		return nil
	})
}

// A task that becomes ready during a turn does not run in it, even while the
// turn's own batch still runs.
func TestASnapshotKeepsLaterOnesForTheNextTurn(t *testing.T) {
	v := newWorld(t)
	turns := func() int64 { return v.Waits.Load() }
	setup{world: v}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		defer openFake(t, ctx, 1).Close() // so that every turn asks the poller
		Yield(ctx)
		var first, second, third int64
		Facade(l).CallSoon(func() {
			first = turns()
			Facade(l).CallSoon(func() {
				second = turns()
				Facade(l).CallSoon(func() { third = turns() })
			})
		})
		yields(ctx, 4)
		if second != first+1 || third != second+1 {
			t.Errorf("turns %d, %d, %d", first, second, third)
		}
		return nil
	})
}

// asyncio case 04.
func TestOverdueTimersFireInDeadlineOrderInOneTurn(t *testing.T) {
	v := newWorld(t)
	setup{world: v}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var tr trace
		for _, d := range []int{30, 10, 20, 5, 25, 15} {
			Facade(l).CallLater(time.Duration(d)*time.Millisecond, func() { tr.add("%d", d) })
		}
		v.Time.Add(int64(time.Second)) // a slow task
		Yield(ctx)
		tr.want(t, "") // they stand behind main, which was ready first
		Yield(ctx)
		tr.want(t, "5 10 15 20 25 30")
		return nil
	})
}

// asyncio case 05, where eddy differs: equal deadlines are FIFO.
func TestEqualDeadlinesAreFIFO(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var tr trace
		for i := range 5 {
			Facade(l).CallAt(time.Millisecond, func() { tr.add("c%d", i) })
			Go(ctx, func(ctx context.Context) error {
				Sleep(ctx, time.Duration(time.Millisecond-Facade(l).Time()))
				tr.add("t%d", i)
				return nil
			})
		}
		Sleep(ctx, 2*time.Millisecond)
		tr.want(t, "c0 c1 c2 c3 c4 t0 t1 t2 t3 t4")
		return nil
	})
}

func TestTimersAreNotStarvedByTasksThatYield(t *testing.T) {
	v := newWorld(t)
	v.Drift = 1000 // else time stands still while somebody is ready
	setup{world: v}.run(t, func(ctx context.Context) error {
		stop := false
		for range 10 {
			Go(ctx, func(ctx context.Context) error {
				for !stop {
					Yield(ctx)
				}
				return nil
			})
		}
		start := LoopOf(ctx).Time()
		Sleep(ctx, time.Millisecond)
		stop = true
		if late := LoopOf(ctx).Time() - start - time.Millisecond; late < 0 || late > 20*time.Microsecond {
			t.Errorf("late by %v", late)
		}
		return nil
	})
}

func TestIOIsLookedAtEveryTurn(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		f, peer := openPair(t, ctx)
		stop := false
		for range 3 {
			Go(ctx, func(ctx context.Context) error {
				for i := 0; !stop; i++ {
					if i == 3 {
						unix.Write(peer, []byte("x"))
					}
					if i > 1000 {
						t.Error("a thousand turns, and nobody has looked")
						return f.Close()
					}
					Yield(ctx)
				}
				return nil
			})
		}
		err := f.WaitRead()
		stop = true
		return errors.Join(err, f.Close(), unix.Close(peer))
	})
}

func TestPollerErrorEndsTheLoop(t *testing.T) {
	v := newWorld(t)
	var got error
	err := setup{world: v}.run(t, func(ctx context.Context) error {
		v.Err = errBoom
		got = Sleep(ctx, time.Hour)
		v.Err = nil
		return got
	})
	if err != errBoom || !errors.Is(got, errBoom) || !errors.Is(got, context.Canceled) {
		t.Errorf("Run: %v, Sleep: %v", err, got)
	}
}

func TestNewLoopFailsWithoutFDs(t *testing.T) {
	before := testkit.Goroutines()
	var limit, low unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	low = limit
	low.Cur = 0
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &low) != nil {
		t.Skip("no limit can be set")
	}
	err := Run(context.Background(), func(context.Context) error { t.Error("main ran"); return nil })
	unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("got %v", err)
	}
	if testkit.Goroutines() > before {
		t.Error("a goroutine is left")
	}
	runReal(t, func(context.Context) error { return nil }) // the thread is free again
}

func TestDeadlockNamesEveryTask(t *testing.T) {
	var e *DeadlockError
	var awaited error
	err := setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		var never Future[int]
		kid := Go(ctx, waitForever(&never))
		Go(ctx, func(ctx context.Context) error { return kid.Wait(ctx) })
		Go(ctx, func(ctx context.Context) error { // shielded: must be cut off, or Run would not end
			_, err := never.Await(ctx)
			return err
		})
		_, awaited = never.Await(ctx)
		return awaited
	})
	if !errors.As(err, &e) || !errors.As(awaited, &e) || !errors.Is(awaited, context.Canceled) {
		t.Fatalf("Run: %v, Await: %v", err, awaited)
	}
	if len(e.Waiting) != 4 {
		t.Fatalf("%q", e.Waiting)
	}
	for i, want := range []string{"task 1 ", "waitForever", "waits for task 2 (", ") waits for a future"} {
		if !strings.Contains(e.Waiting[i], want) || !strings.Contains(e.Error(), want) {
			t.Errorf("line %d: %q, want %q", i, e.Waiting[i], want)
		}
	}
}

func waitForever(f *Future[int]) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := f.Await(ctx)
		return err
	}
}

func TestDeadlockOfAShieldedTask(t *testing.T) {
	j := new(journal)
	var e *DeadlockError
	err := setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
		var never Future[int]
		_, err := never.Await(context.WithoutCancel(ctx))
		return err
	})
	if !errors.As(err, &e) || !errors.Is(err, ErrCutOff) || j.count("cut off") != 1 {
		t.Errorf("%v, %q", err, j.all())
	}
}

func TestNoFalseDeadlock(t *testing.T) {
	cases := map[string]func(t *testing.T, ctx context.Context, f *Future[int]){
		"thread": func(t *testing.T, ctx context.Context, f *Future[int]) {
			Go(ctx, func(ctx context.Context) error {
				ToThread(ctx, func(context.Context) (int, error) { time.Sleep(time.Millisecond); return 0, nil })
				return f.SetResult(1)
			})
		},
		"fd": func(t *testing.T, ctx context.Context, f *Future[int]) {
			fd, peer := openPair(t, ctx)
			Go(ctx, func(ctx context.Context) error {
				err := fd.WaitRead()
				return errors.Join(err, f.SetResult(1), fd.Close(), unix.Close(peer))
			})
			go func() { time.Sleep(time.Millisecond); unix.Write(peer, []byte("x")) }()
		},
		"foreign fd": func(t *testing.T, ctx context.Context, f *Future[int]) {
			r, w, _ := os.Pipe()
			Go(ctx, func(ctx context.Context) error {
				err := WaitReadable(ctx, int(r.Fd()))
				return errors.Join(err, f.SetResult(1), r.Close(), w.Close())
			})
			go func() { time.Sleep(time.Millisecond); w.Write([]byte("x")) }()
		},
		"foreign ctx": func(t *testing.T, ctx context.Context, f *Future[int]) {
			foreign, cancel := context.WithCancel(ctx)
			var never Future[int] // and no timer, for with one there is no deadlock
			Go(ctx, func(context.Context) error {
				if _, err := never.Await(foreign); err != context.Canceled {
					t.Error(err)
				}
				return f.SetResult(1)
			})
			Go(foreign, waitForever(&never))
			go func() { time.Sleep(time.Millisecond); cancel() }()
		},
		"loop held": func(t *testing.T, ctx context.Context, f *Future[int]) {
			l := LoopOf(ctx)
			release := l.Hold()
			go func() { time.Sleep(time.Millisecond); l.Post(func() { f.SetResult(1) }); release() }()
		},
		"post under way": func(t *testing.T, ctx context.Context, f *Future[int]) {
			l := core.Nearest(ctx).Loop()
			Facade(l).Post(func() { f.SetResult(1) })
		},
	}
	for name, begin := range cases {
		t.Run(name, func(t *testing.T) {
			runReal(t, func(ctx context.Context) error {
				var f Future[int]
				begin(t, ctx, &f)
				_, err := f.Await(ctx)
				return err
			})
		})
	}
}

func TestLoopOf(t *testing.T) {
	if LoopOf(context.Background()) != nil {
		t.Error("Background has a loop")
	}
	runReal(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		if &l.core != core.Nearest(ctx).Loop() || LoopOf(context.WithoutCancel(ctx)) != l {
			t.Error("another loop")
		}
		if l.Time() < 0 || l.Time() > time.Minute {
			t.Errorf("Now: %v", l.Time())
		}
		return nil
	})
}

func TestTimeEndsNowhere(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		Sleep(ctx, time.Second)
		if got := l.After(math.MaxInt64); got != math.MaxInt64 {
			t.Errorf("after the end of time: %d", got)
		}
		long := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, math.MaxInt64) })
		Sleep(ctx, time.Hour)
		if !long.Cancel(nil) || long.Wait(ctx) != context.Canceled {
			t.Error("the longest sleep has ended")
		}
		if got := l.TimeAt(time.Unix(1<<40, 0), ctx); got != math.MaxInt64 {
			t.Errorf("a far time: %d", got)
		}
		return nil
	})
}

// openPair returns one end of a socket pair as an FD and the other as it is.
func openPair(t testing.TB, ctx context.Context) (*core.FD, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		unix.SetNonblock(fd, true)
		unix.CloseOnExec(fd)
	}
	f := new(core.FD)
	if err := f.OpenKind(ctx, fds[0], &core.FDKind{Close: unix.Close}); err != nil {
		t.Fatal(err)
	}
	return f, fds[1]
}

// readFull reads from f until p is full, as a socket type would.
func readFull(f *core.FD, p []byte) (n int, err error) {
	for n < len(p) {
		if err := f.WaitRead(); err != nil {
			return n, err
		}
		m, err := unix.Read(f.Sysfd(), p[n:])
		switch {
		case err == unix.EAGAIN:
			f.ReadBlocked()
		case err == unix.EINTR:
		case err != nil:
			return n, err
		case m == 0:
			return n, io.EOF
		default:
			n += m
		}
	}
	return n, nil
}
