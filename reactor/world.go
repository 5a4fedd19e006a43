package reactor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/simulation"
)

// This file is what a loop does otherwise in a simulated world, where nothing
// but the world may decide what happens. A real loop never comes here.

// outskirts is what a loop in a simulated world keeps besides.
//
// Invariant: followed is the scopes that follow a foreign context, in the order
// in which they began to.
type outskirts struct {
	simulation.World
	followed []following
}

type following struct {
	scope *scope
	ctx   context.Context
}

func (l *Loop) enterWorld(w simulation.World) {
	l.world = &outskirts{World: w}
	l.watched = true
	l.wall, l.wallAt = w.ToWall(0, nil), 0
	w.Attach(l.outside)
}

// outside tells what may wake a task from outside the world.
func (l *Loop) outside() (underWay int, possible bool) {
	contexts := len(l.world.followed)
	return l.threads + l.outsiders - contexts - len(l.signals), l.holds.Load() > 0 || contexts > 1 || contexts == 1 && !l.root.followed()
}

// simulatedTurn is a turn in a simulated world. Foreign contexts are asked, each
// in its turn, whether they are done: elsewhere a goroutine tells, when it
// comes to run.
func (l *Loop) simulatedTurn() {
	for _, f := range slices.Clone(l.world.followed) {
		if f.scope.followed() && f.ctx.Err() != nil {
			f.scope.unfollowed()
			f.scope.cancel(reasonOf(f.ctx))
		}
	}
	if err := l.world.Turn(); err != nil {
		l.fail(err)
	}
	l.turn()
	if l.world.Shuffles() {
		l.shuffle()
	}
}

// followInTurns makes s follow ctx by being asked at each turn, until stop.
func (l *Loop) followInTurns(s *scope, ctx context.Context) (stop func() bool) {
	v := l.world
	if d, ok := ctx.Deadline(); ok && v.Strict() {
		if !loopDeadline(ctx, d) {
			v.Refuse("a context goes by the system's clock: use reactor.Timeout in the place of context.WithTimeout")
		}
	}
	v.followed = append(v.followed, following{s, ctx})
	stop = func() bool { return true }
	if !v.Strict() { // it may be done while the loop sleeps
		stop = context.AfterFunc(ctx, func() { l.post(func() {}) })
	}
	unlink := stop
	return func() bool {
		i := slices.IndexFunc(v.followed, func(f following) bool { return f.scope == s })
		v.followed = slices.Delete(v.followed, i, i+1)
		return unlink()
	}
}

// loopDeadline reports whether d is the deadline of a scope that ctx descends from.
func loopDeadline(ctx context.Context, d time.Time) bool {
	s := nearest(ctx)
	if s == nil {
		return false
	}
	own, ok := s.Deadline()
	return ok && own.Equal(d)
}

// shuffle puts the tasks that are ready in another order. Callbacks keep their
// place, for theirs is promised.
func (l *Loop) shuffle() {
	q := &l.ready
	first := 0
	for i := range q.n {
		if _, callback := q.at(i).(*Handle); callback {
			first = i + 1
			continue
		}
		if j := i - l.world.Choose(i-first+1); j != i {
			q.swap(i, j)
		}
	}
}

func (q *readyQueue) swap(i, j int) {
	mask := len(q.buf) - 1
	i, j = (q.head+i)&mask, (q.head+j)&mask
	q.buf[i], q.buf[j] = q.buf[j], q.buf[i]
}

func (l *Loop) tellResume(r runnable) {
	t := l.step.task
	switch w, resumed := r.(*worker); {
	case t == nil:
		l.world.Resume(nil, simulation.Begins, "")
	case resumed:
		l.world.Resume(t, simulation.Resumes, w.woken.String())
	default:
		l.world.Resume(t, simulation.Begins, "")
	}
}

func (l *Loop) tellSuspend() {
	if !l.step.on {
		return
	}
	t, w := l.step.task, l.cur
	switch {
	case t == nil:
		l.world.Suspend(nil, simulation.Ended, nil, nil)
	case t.over:
		l.world.Suspend(t, simulation.Ended, nil, t.err)
	case w.state == parked:
		l.world.Suspend(t, simulation.Waits, w.what, nil)
	default:
		l.world.Suspend(t, simulation.Yields, nil, nil)
	}
}

func (why wakeup) String() string {
	return [...]string{"done", "timer", "cancelled", "closed", "cut off"}[why]
}

// strict says whether a simulated world decides everything.
func (l *Loop) strict() bool { return l.world != nil && l.world.Strict() }

// refuse reports what must not be done in a strict world.
func (l *Loop) refuse(what string) {
	if l.strict() {
		l.world.Refuse(what)
	}
}

// refuseOutside refuses a call that another goroutine makes in a strict world, which
// ends the run: the error is for the goroutine, so that nobody waits for it in vain.
// It is nil if the call is none of these, or the run has ended already.
func (l *Loop) refuseOutside(op string) error {
	if !l.strict() || l.onThread() || l.finished.Load() {
		return nil
	}
	return l.world.Refuse(op + " was called by a goroutine that is no task: use reactor.Go in the place of the go statement")
}

// describe says what a task waits for.
func (l *Loop) describe(what fmt.Stringer) string {
	if l.world != nil {
		return l.world.Describe(what)
	}
	return what.String()
}

// socketsOf returns the socket calls that code under ctx makes: in a simulated
// world, those of the host that it is at home on.
func (l *Loop) socketsOf(ctx context.Context) eddy.Sockets {
	if l.world != nil {
		if host, ok := ctx.Value(simulation.HostKey).(eddy.Sockets); ok {
			return host
		}
	}
	return l.sockets
}

// random returns a number below n, of the world's choosing if there is one.
func (l *Loop) random(n int) int {
	if l.world != nil {
		return l.world.Choose(n)
	}
	return rand.IntN(n)
}
