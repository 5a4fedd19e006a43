package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/sockets"
)

// This file has the differences of a loop in a simulation, where a simulator
// decides in place of the system.

// simulated is the state of a loop in a simulation.
//
// Invariant: followed holds the scopes that follow a foreign context, in the
// order in which they began to.
type simulated struct {
	simulation.Simulator
	host     simulation.Host // that of Run's ctx
	followed []following
}

type following struct {
	scope *Scope
	ctx   context.Context
}

// simulate makes a new loop a simulated one of s. Its main function runs under
// ctx.
func (l *Loop) simulate(ctx context.Context, s simulation.Simulator) {
	l.sim = &simulated{Simulator: s, host: simulation.HostOf(ctx)}
	l.clock, l.poller, l.sockets = s, s, l.sim.host
	s.Attach(l.outside)
}

// outside returns how many goroutines work for tasks, and reports whether anything else
// outside the simulation may wake one.
func (l *Loop) outside() (underWay int, possible bool) {
	contexts := len(l.sim.followed)
	return l.threads + l.outsiders - contexts, l.holds.Load() > 0 || contexts > 1 || contexts == 1 && !l.root.followed()
}

// simulatedTurn takes a turn in a simulation. It polls foreign contexts, in a fixed
// order: elsewhere a goroutine reports that one is done, at a time of its own.
func (l *Loop) simulatedTurn() {
	for _, f := range slices.Clone(l.sim.followed) {
		if f.scope.followed() && f.ctx.Err() != nil {
			f.scope.unfollowed()
			f.scope.cancel(f.scope.loop.reasonOf(f.ctx))
		}
	}
	if err := l.sim.Turn(); err != nil {
		l.Fail(err)
	}
	l.turn()
	if l.sim.Shuffles() {
		l.shuffle()
	}
}

// followInTurns cancels s when ctx is done, which each turn checks, until stop.
func (l *Loop) followInTurns(s *Scope, ctx context.Context) (stop func() bool) {
	v := l.sim
	if d, ok := ctx.Deadline(); ok && v.Strict() {
		if !loopDeadline(ctx, d) {
			v.Refuse("a context goes by the system's clock: use reactor.Timeout in the place of context.WithTimeout")
		}
	}
	v.followed = append(v.followed, following{s, ctx})
	stop = func() bool { return true }
	if !v.Strict() { // ctx may be done while the loop sleeps
		stop = context.AfterFunc(ctx, func() { l.Post(func() {}) })
	}
	unlink := stop
	return func() bool {
		i := slices.IndexFunc(v.followed, func(f following) bool { return f.scope == s })
		v.followed = slices.Delete(v.followed, i, i+1)
		return unlink()
	}
}

// loopDeadline reports whether d is the deadline of a scope that ctx is derived
// from.
func loopDeadline(ctx context.Context, d time.Time) bool {
	s := Nearest(ctx)
	if s == nil {
		return false
	}
	own, ok := s.Deadline()
	return ok && own.Equal(d)
}

// shuffle changes the order of the ready tasks. Callbacks keep their places,
// because their order is promised.
func (l *Loop) shuffle() {
	q := &l.ready
	first := 0
	for i := range q.n {
		switch q.at(i).(type) {
		case *Callback, *TimedCall:
			first = i + 1
			continue
		}
		if j := i - l.sim.Choose(i-first+1); j != i {
			q.swap(i, j)
		}
	}
}

func (q *readyQueue) swap(i, j int) {
	mask := len(q.buf) - 1
	i, j = (q.head+i)&mask, (q.head+j)&mask
	q.buf[i], q.buf[j] = q.buf[j], q.buf[i]
}

func (l *Loop) tellResume(r Job) {
	t := l.step.task
	switch w, resumed := r.(*Worker); {
	case t == nil:
		l.sim.Resume(nil, simulation.Begins, "")
	case resumed:
		l.sim.Resume(t, simulation.Resumes, w.woken.String())
	default:
		l.sim.Resume(t, simulation.Begins, "")
	}
}

func (l *Loop) tellSuspend() {
	if !l.step.on {
		return
	}
	t, w := l.step.task, l.cur
	switch {
	case t == nil:
		l.sim.Suspend(nil, simulation.Ended, nil, nil)
	case t.over:
		l.sim.Suspend(t, simulation.Ended, nil, t.err)
	case w.state == parked:
		l.sim.Suspend(t, simulation.Waits, w.what, nil)
	default:
		l.sim.Suspend(t, simulation.Yields, nil, nil)
	}
}

func (why Wakeup) String() string {
	return [...]string{"done", "timer", "cancelled", "closed", "cut off"}[why]
}

// Strict reports whether only a simulator may decide what happens.
func (l *Loop) Strict() bool { return l.sim != nil && l.sim.Strict() }

// Refuse ends the run of a strict simulation whose program has called something
// that can't be simulated.
func (l *Loop) Refuse(what string) {
	if l.Strict() {
		l.sim.Refuse(what)
	}
}

// RefuseOutside refuses a call by another goroutine in a strict simulation, which ends
// the run. The error is for the goroutine, so that it does not wait in vain. It is nil if
// the caller is the loop's thread, or the run has ended already.
func (l *Loop) RefuseOutside(op string) error {
	if !l.Strict() || l.OnThread() || l.finished.Load() {
		return nil
	}
	return l.sim.Refuse(op + " was called by a goroutine that is no task: use reactor.Go in the place of the go statement")
}

// describe describes what a task waits for.
func (l *Loop) describe(what fmt.Stringer) string {
	if l.sim != nil {
		return l.sim.Describe(what)
	}
	return what.String()
}

// hostOf returns the simulated host that code under ctx runs on.
func (v *simulated) hostOf(ctx context.Context) simulation.Host {
	if h := simulation.HostOf(ctx); h != nil {
		return h
	}
	return v.host
}

// socketsOf returns the socket calls for code under ctx.
func (l *Loop) socketsOf(ctx context.Context) sockets.Calls {
	if l.sim != nil {
		return l.sim.hostOf(ctx)
	}
	return l.sockets
}

// WallOf returns the time of day at a loop time, for code under ctx.
func (l *Loop) WallOf(when int64, ctx context.Context) time.Time {
	if l.sim != nil {
		return l.sim.hostOf(ctx).ToWall(when)
	}
	return l.wall.Add(time.Duration(when - l.wallAt))
}

// TimeAt returns the loop time of a time of day, for code under ctx.
func (l *Loop) TimeAt(t time.Time, ctx context.Context) int64 {
	if l.sim != nil {
		return l.sim.hostOf(ctx).ToLoop(t)
	}
	return l.timeOf(t)
}

// timeAtFD returns the loop time of a time of day on the host of a descriptor.
func (l *Loop) timeAtFD(t time.Time, fd int) int64 {
	if l.sim != nil {
		return l.sim.HostOfFD(fd).ToLoop(t)
	}
	return l.timeOf(t)
}

// Random returns a number in [0,n), which the simulator chooses if there is one.
func (l *Loop) Random(n int) int {
	if l.sim != nil {
		return l.sim.Choose(n)
	}
	return rand.IntN(n)
}

// Simulated reports whether a simulator decides in place of the system.
func (l *Loop) Simulated() bool { return l.sim != nil }
