package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// host begins a guest, passes it to drive, and ends it. It returns the result
// of End.
func (s setup) host(t testing.TB, main func(ctx context.Context) error, drive func(g *Guest)) error {
	t.Helper()
	defer testkit.LeakCheck(t)()
	s, j := s.prepare()
	g, err := s.Options.Begin(s.ctx, main)
	if err != nil {
		t.Fatal(err)
	}
	if s.world != nil {
		checkedBy(&g.loop.core, s.world)
	}
	drive(g)
	err = g.End()
	checkEnd(t, &g.loop.core, s.later)
	if s.log == nil {
		for _, line := range j.all() {
			t.Error("logged: " + line)
		}
	}
	if g.End() != ErrLoopClosed {
		t.Error("a second End is not refused")
	}
	return err
}

// A Turn sleeps until the next timer, but never longer than it is asked to.
func TestTurnSleepsNoLongerThanAsked(t *testing.T) {
	v := newWorld(t)
	err := setup{world: v}.host(t, func(ctx context.Context) error {
		Sleep(ctx, 100)
		return Sleep(ctx, time.Hour)
	}, func(g *Guest) {
		for i, c := range []struct{ sleep, until time.Duration }{
			{0, 0}, {-1, 0}, {30, 30}, {0, 30}, {1000, 100}, {1000, 1100}, {0, 1100}, {time.Hour, time.Hour + 100},
		} {
			if more := g.Turn(c.sleep); more != (i < 7) {
				t.Errorf("turn %d: more to do: %v", i, more)
			}
			if now := time.Duration(v.Time.Load()); now != c.until {
				t.Errorf("turn %d: it is %v, want %v", i, now, c.until)
			}
		}
		if g.Turn(time.Hour) {
			t.Error("more to do, when all is over")
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// With no timer at all it sleeps as long as asked, and a message ends that.
func TestTurnWithoutTimers(t *testing.T) {
	v := newWorld(t)
	var f Future[int]
	err := setup{world: v}.host(t, waitForever(&f), func(g *Guest) {
		l := g.Loop()
		defer l.Hold()()
		g.Turn(0)
		g.Turn(50)
		if now := l.Time(); now != 50 {
			t.Errorf("it is %v", now)
		}
		l.Post(func() { f.SetResult(7) })
		for i := 0; g.Turn(1000); i++ {
			if i > 3 {
				t.Fatal("does not end")
			}
		}
		if now := l.Time(); now != 50 {
			t.Errorf("it slept on a message: it is %v", now)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// One turn each: I/O and timers are looked at, and what is ready runs once.
func TestTurnsDoIO(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(b)
	var tr trace
	err := setup{}.host(t, func(ctx context.Context) error {
		var f core.FD
		if err := f.OpenKind(ctx, a, &core.FDKind{Close: unix.Close}); err != nil {
			return err
		}
		defer f.Close()
		tr.add("opened")
		var p [2]byte
		_, err := readFull(&f, p[:])
		tr.add("%s", p)
		return err
	}, func(g *Guest) {
		g.Turn(0)
		g.Turn(0)
		tr.add("-")
		send(t, b, "x")
		g.Turn(0)
		tr.add("-")
		send(t, b, "y")
		for g.Turn(time.Second) {
		}
		tr.add("over")
	})
	if err != nil {
		t.Error(err)
	}
	tr.want(t, "opened - - xy over")
}

// asyncio's case 02: Stop lets what is ready now run; what that readies waits
// for the next Run.
func TestStopFinishesTheSnapshot(t *testing.T) {
	var tr trace
	err := setup{world: newWorld(t)}.host(t, func(ctx context.Context) error {
		return Sleep(ctx, time.Hour)
	}, func(g *Guest) {
		l := g.Loop()
		add := func(s string) func() { return func() { tr.add("%s", s) } }
		run := func() {
			if !g.Run() {
				t.Error("not stopped")
			}
			tr.add("|")
		}
		l.CallSoon(l.Stop)
		l.CallSoon(func() { tr.add("a"); l.CallSoon(add("late")) })
		l.CallSoon(add("b"))
		run()
		l.CallSoon(l.Stop)
		run()
		l.Stop()
		l.CallSoon(add("pre-stopped"))
		run()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("End returned %v", err)
	}
	tr.want(t, "a b | late | pre-stopped |")
}

// asyncio's case 59, as far as there is one here: stopped before it was done,
// cancelled by End, refused inside, ended twice.
func TestGuestEdges(t *testing.T) {
	var inner error
	var loop *Loop
	err := setup{world: newWorld(t)}.host(t, func(ctx context.Context) error {
		loop = LoopOf(ctx)
		inner = Run(ctx, func(context.Context) error { return nil })
		loop.Stop()
		return Sleep(ctx, 9*time.Second)
	}, func(g *Guest) {
		if !g.Run() || inner == nil || g.loop.Time() != 0 {
			t.Error("not stopped, or too late")
		}
		loop.CallLater(2*time.Second, func() {})
		loop.CallLater(5*time.Second, loop.Stop)
		if !g.Run() || loop.Time() != 5*time.Second {
			t.Errorf("stopped again at %v", loop.Time())
		}
		if _, err := Begin(context.Background(), waitForever(nil)); !errors.Is(err, ErrNested) || !strings.Contains(err.Error(), "drives a Guest") {
			t.Errorf("a second guest on the thread: %v", err)
		}
		if err := Run(context.Background(), waitForever(nil)); !errors.Is(err, ErrNested) || !strings.Contains(err.Error(), "drives a Guest") {
			t.Errorf("Run on a guest's thread: %v", err)
		}
		loop.CallSoon(func() {
			if err := Run(context.Background(), waitForever(nil)); !errors.Is(err, ErrNested) || !strings.Contains(err.Error(), "inside a callback") {
				t.Errorf("Run in a callback: %v", err)
			}
		})
		g.Turn(0)
	})
	if inner != ErrNested {
		t.Errorf("Run inside returned %v", inner)
	}
	if err != context.Canceled {
		t.Errorf("End returned %v", err)
	}
	if err := loop.Post(func() {}); err != ErrLoopClosed {
		t.Errorf("Post returned %v", err)
	}
}

// Run ends by itself when all is over, and then main's error is End's.
func TestGuestRunToTheEnd(t *testing.T) {
	err := setup{world: newWorld(t)}.host(t, func(ctx context.Context) error {
		Sleep(ctx, time.Hour)
		return errBoom
	}, func(g *Guest) {
		if g.Run() {
			t.Error("stopped")
		}
		if g.Run() || g.Turn(1) {
			t.Error("there is more to do")
		}
	})
	if err != errBoom {
		t.Errorf("End returned %v", err)
	}
}

// End at once: main is called, with a ctx that is done, and gets to clean up.
func TestGuestEndBeforeAnyTurn(t *testing.T) {
	var tr trace
	err := setup{world: newWorld(t)}.host(t, func(ctx context.Context) error {
		err := Yield(ctx)
		tr.add("%v", err)
		Sleep(context.WithoutCancel(ctx), time.Second)
		tr.add("cleaned up")
		return err
	}, func(g *Guest) {})
	if err != context.Canceled {
		t.Errorf("End returned %v", err)
	}
	tr.want(t, "context canceled cleaned up")
}

// Between turns the host may call what a callback may.
func TestTheHostIsACallback(t *testing.T) {
	var tr trace
	var f Future[int]
	err := setup{world: newWorld(t)}.host(t, func(ctx context.Context) error {
		_, err := f.Await(ctx)
		tr.add("main")
		return err
	}, func(g *Guest) {
		l := g.Loop()
		g.Turn(0)
		ctx := context.Context(l.core.Root())
		GoNow(ctx, func(ctx context.Context) error {
			tr.add("eager")
			Yield(ctx)
			tr.add("later")
			return nil
		})
		Go(ctx, func(ctx context.Context) error { tr.add("task"); return nil })
		l.CallSoon(func() { tr.add("callback") })
		tr.add("host")
		wantPanic(t, "callback", func() { Yield(ctx) })
		g.Turn(0)
		tr.add("-")
		f.SetResult(1)
		g.Turn(0)
	})
	if err != nil {
		t.Error(err)
	}
	tr.want(t, "eager host later task callback - main")
}

// A guest without a Hold is deadlocked like any other loop.
func TestGuestDeadlock(t *testing.T) {
	var f Future[int]
	var dead *DeadlockError
	err := setup{world: newWorld(t)}.host(t, waitForever(&f), func(g *Guest) {
		if g.Run() {
			t.Error("stopped")
		}
	})
	if !errors.As(err, &dead) {
		t.Errorf("End returned %v", err)
	}
}

// While a host gets the thread back, what all tasks wait for may still come: from
// the host itself.
func TestTurnIsNoDeadlock(t *testing.T) {
	for name, turn := range map[string]func(g *Guest) bool{
		"without sleep":     func(g *Guest) bool { return g.Turn(0) },
		"with sleep":        func(g *Guest) bool { return g.Turn(time.Second) },
		"Run, once stopped": func(g *Guest) bool { g.loop.Stop(); return g.Run() },
	} {
		var e Event
		err := setup{world: newWorld(t)}.host(t, e.Wait, func(g *Guest) {
			for range 4 {
				if !turn(g) {
					t.Errorf("%s: no more to do", name)
				}
			}
			e.Set()
			g.Turn(0)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A turn that may sleep for ever does not come back to its host.
func TestEndlessTurnDeadlocks(t *testing.T) {
	var dead *DeadlockError
	err := setup{world: newWorld(t)}.host(t, waitForever(new(Future[int])), func(g *Guest) {
		g.Turn(0)
		g.Turn(core.MaxTime)
	})
	if !errors.As(err, &dead) {
		t.Errorf("End returned %v", err)
	}
}

// Driving the guest from inside, or from another goroutine, would wreck it.
func TestGuestMisuse(t *testing.T) {
	var g *Guest
	err := setup{world: newWorld(t)}.host(t, func(ctx context.Context) error {
		for name, f := range map[string]func(){"Turn": func() { g.Turn(0) }, "Run": func() { g.Run() }, "End": func() { g.End() }} {
			wantPanic(t, "Guest."+name, f)
			LoopOf(ctx).CallSoon(func() { wantPanic(t, "Guest."+name, f) })
		}
		return Yield(ctx)
	}, func(guest *Guest) {
		g = guest
		for range 4 {
			g.Turn(0)
		}
		for _, f := range []func(){func() { g.Turn(0) }, func() { g.Run() }, func() { g.End() }} {
			if got := elsewhere(f); !strings.Contains(got, "Guest.") {
				t.Errorf("on another goroutine: %q", got)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
	if g.Turn(0) || g.Run() {
		t.Error("more to do after End")
	}
}

func TestBeginRefuses(t *testing.T) {
	done, cancel := context.WithCancelCause(context.Background())
	cancel(errBoom)
	main := func(context.Context) error { t.Error("called"); return nil }
	for _, c := range []struct {
		ctx  context.Context
		main func(context.Context) error
		want string
	}{
		{context.Background(), nil, "nil main"},
		{nil, main, "nil ctx"},
		{done, main, "boom"},
	} {
		if g, err := Begin(c.ctx, c.main); g != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Begin returned %v, %v", g, err)
		}
	}
}

// A guest's own ctx cancels it while it is driven.
func TestGuestsCtx(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	err := setup{ctx: ctx}.host(t, func(ctx context.Context) error { return Sleep(ctx, time.Hour) }, func(g *Guest) {
		g.Turn(0)
		cancel(errBoom)
		for g.Turn(time.Second) {
		}
	})
	if !errors.Is(err, errBoom) {
		t.Errorf("End returned %v", err)
	}
}
