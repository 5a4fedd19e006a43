package reactor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

const ms = time.Millisecond

// CallSoon is FIFO; a callback scheduled by a callback runs after all that is
// queued already.
func TestCase01ReadyFIFO(t *testing.T) {
	p := replay(t, `
		a b c main1 a2 b2 main2`)
	p.main(func(ctx context.Context) {
		loop := reactor.LoopOf(ctx)
		var out []string
		say := func(s string) func() { return func() { out = append(out, s) } }
		loop.CallSoon(func() { say("a")(); loop.CallSoon(say("a2")) })
		loop.CallSoon(func() { say("b")(); loop.CallSoon(say("b2")) })
		loop.CallSoon(say("c"))
		reactor.Yield(ctx) // main comes behind c, but before a2
		say("main1")()
		reactor.Yield(ctx)
		say("main2")()
		p.print(strings.Join(out, " "))
	})
}

// Stop lets ready tasks and callbacks run; what they schedule waits for the
// next run.
func TestCase02StopSnapshot(t *testing.T) {
	p := replay(t, `
		run1 ['a', 'b']
		run2 ['a', 'b', 'late']
		run3 ['a', 'b', 'late', 'pre-stopped']
		RuntimeError: Event loop is closed`)
	// A guest loop has a main task, which here only keeps it from ending.
	g, err := p.options.Begin(context.Background(), func(ctx context.Context) error { return new(reactor.Event).Wait(ctx) })
	if err != nil {
		t.Fatal(err)
	}
	loop := g.Loop()
	var out []string
	say := func(s string) func() { return func() { out = append(out, s) } }
	loop.CallSoon(loop.Stop)
	loop.CallSoon(func() { say("a")(); loop.CallSoon(say("late")) })
	loop.CallSoon(say("b"))
	g.Run()
	p.print("run1", out)
	loop.CallSoon(loop.Stop)
	g.Run()
	p.print("run2", out)
	loop.Stop()
	loop.CallSoon(say("pre-stopped"))
	g.Run()
	p.print("run3", out)
	g.End()
	p.print(loop.Post(func() {}))
}

// Overdue timers fire in the order of their deadlines, in one turn.
func TestCase04OverdueTimers(t *testing.T) {
	p := replay(t, `
		after 1 yield []
		after 2 yields [5, 10, 15, 20, 25, 30]`)
	p.main(func(ctx context.Context) {
		loop := reactor.LoopOf(ctx)
		var out []int
		start := loop.Time()
		for _, d := range []int{30, 10, 20, 5, 25, 15} {
			loop.CallAt(start+time.Duration(d)*ms, func() { out = append(out, d) })
		}
		p.compute(60 * ms)
		reactor.Yield(ctx)
		p.print("after 1 yield", out)
		reactor.Yield(ctx)
		p.print("after 2 yields", out)
	})
}

// Differs: equal deadlines fire in the order in which they were set.
func TestCase05EqualDeadlines(t *testing.T) {
	p := replay(t, `
		asyncio| [0, 2, 6, 5, 7, 1, 3, 4] NOT fifo
		eddy| [0, 1, 2, 3, 4, 5, 6, 7] fifo`)
	p.main(func(ctx context.Context) {
		loop := reactor.LoopOf(ctx)
		var out []int
		when := loop.Time() + 10*ms
		for i := range 8 {
			loop.CallAt(when, func() { out = append(out, i) })
		}
		reactor.Sleep(ctx, 50*ms)
		p.print(out, map[bool]string{true: "fifo", false: "NOT fifo"}[slices.IsSorted(out)])
	})
}

// A cancelled callback does not run, even if it is in the ready queue already.
func TestCase06CancelHandle(t *testing.T) {
	p := replay(t, `
		[] True True True`)
	p.main(func(ctx context.Context) {
		loop := reactor.LoopOf(ctx)
		var out []string
		say := func(s string) func() { return func() { out = append(out, s) } }
		h1 := loop.CallSoon(say("h1"))
		h2 := loop.CallLater(10*ms, say("h2"))
		var h3 *reactor.Handle
		var c3 bool
		loop.CallSoon(func() { c3 = h3.Cancel() })
		h3 = loop.CallSoon(say("h3"))
		c1, c2 := h1.Cancel(), h2.Stop()
		if h1.Cancel() {
			t.Error("a callback was cancelled twice")
		}
		reactor.Sleep(ctx, 30*ms)
		p.print(out, c1, c2, c3)
	})
}

// A panic in a callback is reported; those after it run. (The recorded program
// has the second one in a future's callbacks. Here tasks alone have callbacks.)
func TestCase07CallbackPanics(t *testing.T) {
	p := replay(t, `
		handler: Exception in callback main. ValueError('x')
		next ran
		asyncio| handler: Exception in callback main. ZeroDivisionError('division by zero')
		eddy| handler: Exception in callback main. runtime error: integer divide by zero
		2nd done cb ran`)
	p.options.OnError = func(r reactor.Report) {
		if r.Kind == reactor.CallbackPanicked {
			p.print("handler: Exception in callback main.", r.Err)
		}
	}
	p.main(func(ctx context.Context) {
		loop := reactor.LoopOf(ctx)
		loop.CallSoon(func() { panic(raised("ValueError('x')")) })
		loop.CallSoon(func() { p.print("next ran") })
		f := reactor.Go(ctx, func(context.Context) error { return nil })
		zero := 0
		f.OnDone(func() { zero = 1 / zero })
		f.OnDone(func() { p.print("2nd done cb ran") })
		reactor.Sleep(ctx, 10*ms)
	})
}

// Differs: no exception passes through the loop without ending it. A task's
// panic that is not awaited ends the loop, in order: ready tasks run, the
// others are cancelled, and Run returns the panic.
func TestCase08PanicEndsLoop(t *testing.T) {
	p := replay(t, `
		asyncio| escaped 3 [1]
		asyncio| resumed [1, 2]
		eddy| escaped 3 [1, 2]`)
	var out []int
	err := p.run(func(ctx context.Context) error {
		loop := reactor.LoopOf(ctx)
		loop.CallSoon(func() { out = append(out, 1) })
		reactor.Go(ctx, func(context.Context) error { panic(3) })
		loop.CallSoon(func() { out = append(out, 2) })
		return reactor.Sleep(ctx, time.Hour)
	})
	p.print("escaped", err, out)
	if p.world.Now() != worldBegin {
		t.Error("the loop went on after the panic")
	}
}

// Yield is one trip through the ready queue: a strict round robin.
func TestCase09RoundRobin(t *testing.T) {
	p := replay(t, `
		a0 b0 c0 a1 b1 c1 a2 b2 c2`)
	var out []string
	w := func(name string) func(ctx context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			for _, i := range []string{"0", "1", "2"} {
				out = append(out, name+i)
				reactor.Yield(ctx)
			}
			return name, nil
		}
	}
	p.main(func(ctx context.Context) { reactor.Gather(ctx, w("a"), w("b"), w("c")) })
	p.print(strings.Join(out, " "))
}

// A stopped loop leaves its main function unfinished; a loop can't run inside
// itself; a closed one can't run at all.
func TestCase59StoppedLoop(t *testing.T) {
	p := replay(t, `
		RuntimeError Event loop stopped before Future completed.
		CancelledError
		RuntimeError This event loop is already running
		True
		RuntimeError Event loop is closed`)
	finished := false
	g, err := p.options.Begin(context.Background(), func(ctx context.Context) error {
		reactor.LoopOf(ctx).Stop()
		err := reactor.Sleep(ctx, 9*time.Second)
		finished = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if stopped := g.Run(); stopped && !finished {
		p.print("RuntimeError Event loop stopped before Future completed.")
	}
	p.print(g.End())
	p.main(func(ctx context.Context) {
		err := p.run(func(context.Context) error { return nil })
		if errors.Is(err, reactor.ErrNested) {
			p.print("RuntimeError This event loop is already running")
		}
	})
	p.print(errors.Is(g.Loop().Post(func() {}), reactor.ErrLoopClosed))
	if errors.Is(g.End(), reactor.ErrLoopClosed) {
		p.print("RuntimeError Event loop is closed")
	}
}
