package reactor

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A play is a random program: its bytes are the operations of its tasks, in the
// order in which the tasks read them.
type play struct {
	t       *testing.T
	l       *core.Loop
	script  []byte
	trace   trace
	tasks   []*Task[struct{}]
	futures [4]Future[int]
	made    int
	begun   int
	ended   int
}

func (p *play) next() int {
	if len(p.script) == 0 {
		return -1
	}
	b := p.script[0]
	p.script = p.script[1:]
	return int(b)
}

// body returns a task's function: as many steps as it is told to take, and then
// an error or none.
func (p *play) body(keeper bool) func(ctx context.Context) error {
	p.made++
	id := p.made
	return func(ctx context.Context) error {
		p.begun++
		defer func() {
			p.ended++
			p.trace.add("%d ends at %v", id, Facade(p.l).Time())
		}()
		p.steps(ctx, id, 1+p.next()&7)
		if p.next()&7 == 1 && keeper {
			return errBoom
		}
		return nil
	}
}

func (p *play) steps(ctx context.Context, id, n int) {
	for range n {
		op := p.next()
		if op < 0 {
			return
		}
		err := p.step(ctx, id, op)
		p.trace.add("%d:%d=%v", id, op&15, err)
		if err == nil || op&15 >= 8 {
			continue
		}
		// An enclosing scope that is done too wins over the reason that ctx knows.
		if c := ctx.Err(); c == nil || !core.Nearest(ctx).Loop().IsCancellation(err) {
			p.t.Errorf("task %d, op %d: %v, but the ctx says %v", id, op&15, err, c)
		}
	}
}

// step takes one step. Those below 8 return an error only if ctx is done.
func (p *play) step(ctx context.Context, id, op int) error {
	switch op & 15 {
	default:
		return Yield(ctx)
	case 1, 2:
		d := time.Duration(op>>4) * time.Millisecond
		start := Facade(p.l).Time()
		err := Sleep(ctx, d)
		if err == nil && Facade(p.l).Time() < start+d {
			p.t.Errorf("task %d: Sleep(%v) ended after %v", id, d, Facade(p.l).Time()-start)
		}
		return err
	case 3:
		_, err := p.futures[op>>4&3].Await(ctx)
		return err
	case 4:
		if t := p.pick(op >> 4); t != nil {
			if err := t.Wait(ctx); !errors.Is(err, ErrSelf) && !t.Finished() {
				return err
			}
		}
	case 5:
		return Sleep(context.WithoutCancel(ctx), time.Duration(op>>4)*time.Microsecond)
	case 6, 7:
		if p.made < 200 {
			c := ctx
			if op&16 != 0 {
				c = context.WithoutCancel(ctx)
			}
			p.tasks = append(p.tasks, Go(c, p.body(false)))
		}
	case 8:
		p.futures[op>>4&3].SetResult(id)
	case 9:
		if f := &p.futures[op>>4&3]; f.waiters.Empty() {
			*f = Future[int]{} // pending again
		}
	case 10:
		if t := p.pick(op >> 4); t != nil {
			t.Cancel([]error{nil, errOther}[op>>4&1])
		}
	case 11:
		d := time.Duration(op>>4) * time.Millisecond
		start := Facade(p.l).Time()
		outer := ctx
		return Timeout(ctx, d, func(ctx context.Context) error {
			p.steps(ctx, id, 1+op>>6)
			if outer.Err() == nil && ctx.Err() == context.DeadlineExceeded && Facade(p.l).Time() < start+d {
				p.t.Errorf("task %d: Timeout(%v) after %v", id, d, Facade(p.l).Time()-start)
			}
			return ctx.Err()
		})
	case 12:
		if p.made > 200 {
			return nil
		}
		before := p.ended
		tasks := 0
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			for range 1 + op>>6 {
				g.Go(p.body(true))
				tasks++
			}
			p.steps(ctx, id, 1)
			return nil
		})
		if p.ended < before+tasks && err == nil {
			p.t.Errorf("task %d: the group returned before its tasks ended", id)
		}
		return err
	case 13:
		if p.made > 200 {
			return nil
		}
		f := p.body(false)
		_, err := Gather(ctx, func(ctx context.Context) (int, error) { return 0, f(ctx) })
		return err
	case 14:
		f := &p.futures[op>>4&3]
		Facade(p.l).CallLater(time.Duration(op>>4)*time.Millisecond, func() { f.SetResult(0) })
	case 15:
		checkNow(p.t, p.l)
	}
	return nil
}

func (p *play) pick(n int) *Task[struct{}] {
	if len(p.tasks) == 0 {
		return nil
	}
	return p.tasks[n%len(p.tasks)]
}

func perform(t *testing.T, script []byte) trace {
	p := &play{t: t, script: script}
	v := newWorld(t)
	err := setup{world: v, later: true}.run(t, func(ctx context.Context) error {
		p.l = core.Nearest(ctx).Loop()
		for range 3 {
			p.tasks = append(p.tasks, Go(ctx, p.body(false)))
		}
		err := Sleep(ctx, time.Hour)
		if Facade(p.l).Time() != time.Hour {
			t.Errorf("main slept until %v", Facade(p.l).Time())
		}
		checkNow(t, p.l)
		return err
	})
	if err != nil || p.begun != p.ended {
		t.Errorf("Run: %v; %d tasks begun, %d ended", err, p.begun, p.ended)
	}
	return p.trace
}

// The loop's guarantees hold for any program, and the same program runs the
// same way.
func FuzzLoop(f *testing.F) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 20+rng.IntN(500))
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 2000 {
			return
		}
		a, b := perform(t, script), perform(t, script)
		if len(a) != len(b) {
			t.Fatalf("the same program took %d steps and %d", len(a), len(b))
		}
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("the same program differs at step %d: %q and %q", i, a[i], b[i])
			}
		}
	})
}
