package core

import (
	"runtime"
	"runtime/trace"
	"time"

	"github.com/eddyio/eddy/internal/flight"
	"github.com/eddyio/eddy/internal/simulation"
)

// successor returns what runs after the worker that gives up the thread; nil
// means the host. It takes a turn itself if that need not poll the kernel.
func (l *Loop) successor() Job {
	if r := l.pick(); r != nil || l.ready.n == 0 || l.fds.n > 0 {
		return r
	}
	return l.next()
}

// next returns what runs after the host, and takes turns until something can
// run. nil means that there is no more to do.
func (l *Loop) next() Job {
	for {
		if r := l.pick(); r != nil {
			return r
		}
		if l.live == 0 {
			l.lastTurn()
		}
		if l.isOver() && (l.abandoned || !l.facade.Last()) || l.paused() {
			return nil
		}
		if on := trace.IsEnabled(); on != l.traced {
			l.setTraced(on)
		}
		switch {
		case l.rec != nil:
			l.recordedTurn(l.rec)
		case l.sim == nil:
			l.turn()
		default:
			l.simulatedTurn()
		}
		l.batch = l.ready.n
	}
}

// pick removes and returns the first entry of the queue that belongs to this
// turn; nil if there is none.
func (l *Loop) pick() Job {
	for l.batch > 0 {
		l.batch--
		r := l.ready.pop()
		switch r.(type) {
		case *Worker, *Dormant:
		default:
			if dropped(r) {
				continue
			}
		}
		l.steps++
		if l.watched {
			if l.wary {
				l.change(r)
			} else { // a level less
				l.rec.change(l.cur, r)
			}
		}
		return r
	}
	if l.watched {
		l.change(nil)
	}
	return nil
}

// dropped reports whether r is a callback that must no longer be called.
func dropped(r Job) bool {
	switch r := r.(type) {
	case *Callback:
		return r.dropped()
	case *TimedCall:
		return r.dropped()
	}
	return false
}

// isOver reports whether there is nothing left to run.
func (l *Loop) isOver() bool {
	return l.abandoned || l.live == 0 && l.threads == 0 && (l.ready.n == 0 || l.noMoreTurns())
}

// turn polls the kernel, and handles its events, functions posted by other
// goroutines, and timers. If nothing is ready it sleeps.
func (l *Loop) turn() {
	l.steps++
	if l.ready.n > 0 && l.fds.n == 0 && l.wheel.Len() == 0 && l.unread < maxUnread && l.rec == nil {
		l.unread++
		l.inbox.drain()
		return
	}
	if l.threads > 1 && l.inbox.crowd.Load() {
		l.giveWay()
	}
	now := l.Now()
	l.turnOver(now)
	if timeout := l.patience(now); timeout != 0 {
		l.publish(now, true)
		l.inbox.sleep()
		if l.inbox.empty() {
			l.poll(timeout)
		}
		l.turnAt = l.Now()
		l.meter.rested(now, l.turnAt)
		l.awake()
		if l.inbox.empty() {
			l.inbox.note(0)
		}
	} else {
		l.turnAt = now
		if now-l.meter.at.Load() > int64(time.Millisecond) {
			l.publish(now, false)
		}
		if l.fds.n > 0 {
			l.poll(0)
		}
	}
	now = l.turnAt
	if n := l.inbox.drain(); n > 0 {
		now = l.Now()
		if l.rec != nil {
			l.rec.put(flight.Posted, uint64(n))
		}
	}
	if l.wheel.Len() > 0 {
		for t := l.wheel.Pop(now); t != nil; t = l.wheel.Pop(now) {
			t.Value.Expire()
		}
	}
}

// giveWay lets goroutines run that may have messages, before the loop sleeps. They come
// in numbers: to sleep until the first of the next ones costs more, and to be woken too,
// than to have gone on when they are there.
func (l *Loop) giveWay() {
	if l.ready.n == 0 && l.inbox.empty() && !l.stopped && l.maxSleep > 0 {
		runtime.Gosched()
	}
}

// maxUnread is for how many turns the clock is not read while nothing asks for it: the
// loop has neither descriptors nor timers.
const maxUnread = 64

// patience returns how long the loop may sleep from now on: 0 for not at all, negative
// for as long as it takes.
func (l *Loop) patience(now int64) time.Duration {
	if l.ready.n > 0 || l.stopped {
		return 0
	}
	if when, ok := l.wheel.Next(); ok {
		return min(time.Duration(max(0, when-now)), l.maxSleep)
	}
	if !l.inbox.empty() || l.deadlocked() {
		return 0
	}
	if l.maxSleep < MaxTime {
		return l.maxSleep
	}
	return -1
}

func (l *Loop) poll(timeout time.Duration) {
	events, err := l.poller.Wait(timeout)
	if err == simulation.ErrIdle {
		if !l.hosted() {
			l.deadlock()
		}
		return
	}
	if err != nil {
		l.Fail(err)
		l.giveUp()
		return
	}
	if l.rec != nil {
		l.recordEvents(events, timeout != 0)
		return
	}
	for _, e := range events {
		l.fds.dispatch(e)
	}
}
