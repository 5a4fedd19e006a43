package reactor

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/eddyio/eddy/reactor/core"
)

// A contest is a primitive that several tasks wait for, with a model of the
// expected results. In the model, waiters are numbers in the order of their
// calls; it first returns whom an act wakes, and later, as each task runs, what
// that one gets and whom it wakes in turn.
type contest struct {
	wait  func(ctx context.Context, i int) (string, error) // what the i-th waiter does
	wake  func(queue []int) []outcome                      // does what may wake some, and says whom
	ran   func(i int, ok bool, queue []int) []outcome      // may be nil
	begin func()                                           // before a series of acts; may be nil
	end   func()                                           // after it; may be nil
	check func() string                                    // of the invariants; may be nil
	done  func(ctx context.Context) string                 // is all in order, can another one take it?
}

// An outcome is which task is woken, and, once that one runs, with what result.
type outcome struct {
	who         int
	what        func() string // nil: ""
	interrupted bool          // by its own cancellation or timeout
}

func text(s string) func() string { return func() string { return s } }

// first wakes the one that has waited longest, everyone all.
func first(queue []int) []outcome {
	if len(queue) == 0 {
		return nil
	}
	return []outcome{{who: queue[0]}}
}

func everyone(queue []int, what func() string) (all []outcome) {
	for _, i := range queue {
		all = append(all, outcome{who: i, what: what})
	}
	return all
}

// An act is one of the things that happen within one turn.
type act int

const wakeUp act = -1

func cancelOf(i int) act  { return act(2 * i) }
func timeoutOf(i int) act { return act(2*i + 1) }

func (a act) String() string {
	switch {
	case a == wakeUp:
		return "wake"
	case a%2 == 0:
		return fmt.Sprintf("cancel%d", a/2)
	}
	return fmt.Sprintf("timeout%d", a/2)
}

// orders calls f with every order of up to n wakes and any of the cancellations
// and timeouts of n tasks. Of three tasks each is interrupted in one way at
// most; the orders of both for one task come up with fewer tasks.
func orders(n int, f func(order []act)) {
	used := make([]bool, 2*n)
	var extend func(order []act, wakes int)
	extend = func(order []act, wakes int) {
		if len(order) > 0 {
			f(order)
		}
		if wakes < n {
			extend(append(order, wakeUp), wakes+1)
		}
		for a := range used {
			if used[a] || n > 2 && used[a^1] {
				continue
			}
			used[a] = true
			extend(append(order, act(a)), wakes)
			used[a] = false
		}
	}
	extend(make([]act, 0, 3*n), 0)
}

// enumerate plays every order with one, two and three waiters: each must be
// resumed exactly once, in the order in which they were woken, with what the
// model says; what came too late for it, its next await must tell.
func enumerate(t *testing.T, make func(ctx context.Context, n int) contest) {
	t.Helper()
	every := 1
	if dearIdentity() {
		every = 11 // all would take a minute
	}
	run(t, func(ctx context.Context) error {
		matches := 0
		for n := 1; n <= 3; n++ {
			orders(n, func(order []act) {
				if matches++; matches%every != 0 || t.Failed() {
					return
				}
				p := match{contest: make(ctx, n), t: t, order: order, n: n, inCallback: matches%2 == 1}
				p.run(ctx)
			})
		}
		return nil
	})
}

// A match is a contest in one order.
type match struct {
	contest
	t          *testing.T
	order      []act
	n          int
	inCallback bool

	tasks  []*Task[struct{}]
	scopes []*CancelScope
	got    []string // who ran, in order, with what
	next   []string // what each one's next await returned

	queue []int     // the model: who waits
	woken []outcome // who was woken and has not run
	want  []string
}

func (p *match) run(ctx context.Context) {
	p.start(ctx)
	l := core.Nearest(ctx).Loop()
	if p.inCallback {
		Facade(l).CallSoon(func() { p.series(l, p.order...) })
		Yield(ctx)
	} else {
		p.series(l, p.order...)
	}
	p.settle(ctx)
	for i := 0; i < 8 && len(p.queue) > 0; i++ {
		p.series(l, wakeUp)
		p.settle(ctx)
	}
	p.finish(ctx)
	if msg := l.Check(); msg != nil {
		p.fail("%s", msg)
	}
}

func (p *match) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Errorf("order %v of %d: %s", p.order, p.n, fmt.Sprintf(format, args...))
}

// start makes the tasks, which wait one behind the other.
func (p *match) start(ctx context.Context) {
	p.scopes, p.next = make([]*CancelScope, p.n), make([]string, p.n)
	for i := range p.n {
		p.queue = append(p.queue, i)
		p.tasks = append(p.tasks, GoNow(ctx, func(ctx context.Context) error {
			return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
				p.scopes[i] = s
				what, err := p.wait(ctx, i)
				p.got = append(p.got, fmt.Sprint(i, " ", verdict(what, err)))
				p.next[i] = verdict("", Yield(ctx))
				return nil
			})
		}))
	}
}

// series does some acts within one turn, and tells the model.
func (p *match) series(l *core.Loop, acts ...act) {
	if p.begin != nil {
		p.begin()
	}
	for _, a := range acts {
		if a == wakeUp {
			p.serve(p.wake(p.queue))
			continue
		}
		who := int(a) / 2
		if a == cancelOf(who) {
			p.tasks[who].Cancel(errBoom)
		} else {
			(*scopeDeadline)(p.scopes[who]).Expire()
		}
		if slices.Contains(p.queue, who) {
			p.serve([]outcome{{who: who, interrupted: true}})
		}
	}
	if p.end != nil {
		p.end()
	}
	checkNow(p.t, l)
	if p.check != nil {
		if msg := p.check(); msg != "" {
			p.fail("%s", msg)
		}
	}
}

// serve notes in the model who is woken.
func (p *match) serve(woken []outcome) {
	for _, o := range woken {
		p.queue = slices.DeleteFunc(slices.Clone(p.queue), func(i int) bool { return i == o.who })
		p.woken = append(p.woken, o)
	}
}

// settle lets those run that were woken, in the model and in fact.
func (p *match) settle(ctx context.Context) {
	for len(p.woken) > 0 {
		o := p.woken[0]
		p.woken = p.woken[1:]
		what := ""
		switch {
		case o.interrupted:
			what = p.tooLate(o.who)
		case o.what != nil:
			what = o.what()
		}
		p.want = append(p.want, fmt.Sprint(o.who, " ", what))
		if p.ran != nil {
			p.serve(p.ran(o.who, !o.interrupted, p.queue))
		}
	}
	for i := 0; i < 20 && len(p.got) < len(p.want); i++ {
		Yield(ctx)
	}
	yields(ctx, 2) // to see that nobody else runs
	if !slices.Equal(p.got, p.want) {
		p.fail("got %q, want %q", p.got, p.want)
	}
}

// tooLate returns what the next await of a task must return: its cancellation,
// or else its timeout, if there was one.
func (p *match) tooLate(who int) string {
	switch {
	case slices.Contains(p.order, cancelOf(who)):
		return "cancel"
	case slices.Contains(p.order, timeoutOf(who)):
		return "timeout"
	}
	return ""
}

func (p *match) finish(ctx context.Context) {
	if len(p.queue) > 0 {
		p.fail("%v are never woken", p.queue)
	}
	for i, task := range p.tasks {
		if !task.Finished() {
			p.fail("waiter %d does not end", i)
			task.Cancel(nil)
			task.Wait(ctx)
		} else if want := p.tooLate(i); p.next[i] != want {
			p.fail("the next await of %d returned %q, want %q", i, p.next[i], want)
		}
	}
	if msg := p.done(ctx); msg != "" {
		p.fail("afterwards: %s", msg)
	}
}

// The wait list itself, on which all primitives are built.
func TestWaitListInEveryOrder(t *testing.T) {
	enumerate(t, func(ctx context.Context, n int) contest {
		var q core.WaitList
		return contest{
			wait: func(ctx context.Context, i int) (string, error) {
				w, s, err := core.Await(ctx, "test")
				if err == nil {
					err = q.Wait(w, s, waitingFor("a test"))
				}
				return "", err
			},
			wake: func(queue []int) []outcome {
				if woke := q.WakeFirst(core.WokenDone); woke != (len(queue) > 0) {
					t.Errorf("wakeFirst says %v, with %v waiting", woke, queue)
				}
				return first(queue)
			},
			check: q.Check,
			done: func(context.Context) string {
				if !q.Empty() || q.Len() != 0 {
					return "the list is not empty"
				}
				return ""
			},
		}
	})
}
