package reactor

import (
	"context"
	"errors"
	"fmt"

	"github.com/eddyio/eddy/reactor/core"
)

// ErrNotStarted is returned by [Start] if the task ended without an error
// before it called started.
var ErrNotStarted = errors.New("reactor: the task ended before it had started")

// Start makes f a task, of the group g unless g is nil, and waits until f calls
// started, for instance once it listens; it returns the value passed to
// started, and f goes on. If f returns before that, Start returns its error, or
// [ErrNotStarted], and the group is not affected. If ctx is done first, the
// task is cancelled and Start waits for its end; then the error is ctx's,
// joined by [errors.Join] with the task's own unless that only echoes the
// cancellation. (trio's nursery.start.)
func Start[T any](ctx context.Context, g *TaskGroup, f func(ctx context.Context, started func(T)) error) (T, error) {
	w, s, err := core.Await(ctx, "Start")
	p := &starting[T]{group: g, f: f}
	if err != nil {
		return p.value, err
	}
	if f == nil {
		panic("reactor: Start with a nil function")
	}
	if g != nil {
		if g.closed {
			return p.value, ErrGroupClosed
		}
		ctx = &g.scope
		g.n++
	}
	p.task = newTask[struct{}](ctx, "Start", p, p)
	w.Loop().Push(p.task.record())
	if err := p.wait.Wait(w, s, (*startWait)(p.task.record())); err != nil {
		p.task.Cancel(err)
		for !p.over {
			p.wait.Wait(w, w.Loop().Shielded(), (*startWait)(p.task.record()))
		}
		if p.err != nil && p.err != ErrNotStarted && !p.echo {
			err = errors.Join(err, p.err)
		}
		return p.value, err
	}
	return p.value, p.err
}

// starting is the keeper of a task until it has started.
type starting[T any] struct {
	f     func(ctx context.Context, started func(T)) error
	group *TaskGroup
	task  *Task[struct{}]
	value T
	err   error
	echo  bool // err only echoes the cancellation
	over  bool
	wait  core.WaitList
}

// Run is the task's function.
func (p *starting[T]) Run(ctx context.Context) error { return p.f(ctx, p.started) }

// Label names the task by the function that it was made of.
func (p *starting[T]) Label() (string, fmt.Stringer) { return core.FuncName(p.f), nil }

func (p *starting[T]) Function() any { return p.f }

// startWait describes what a Start waits for.
type startWait core.Task

func (w *startWait) Describe(d *core.Wait) {
	t := (*core.Task)(w)
	d.For = "the start of"
	if t.Scope().Canceled() {
		d.For, d.After = "the end of", ", which was to start"
	}
	d.Name(t)
}

func (w *startWait) String() string { return core.Described(w) }

func (p *starting[T]) started(value T) {
	p.task.record().Loop().OnLoop("the started function of Start")
	if p.over {
		return
	}
	p.value, p.over = value, true
	if p.group != nil {
		p.task.record().Keep((*groupKeeper)(p.group))
	} else {
		p.task.record().Keep(nil)
	}
	p.wait.WakeAll(core.WokenDone)
}

func (p *starting[T]) Ended(t *core.Task, echo bool) {
	p.over = true
	if t.Loop().Cutting() { // Start is cut off, too, and does not return
		t.Loop().Unkept(t, echo)
	} else {
		t.Claim()
	}
	p.echo = echo
	if p.err = t.Outcome(); p.err == nil {
		p.err = ErrNotStarted
	}
	if p.group != nil {
		p.group.leave()
	}
	p.wait.WakeAll(core.WokenDone)
}
