package poll

import (
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// An Activity records when an FD was last read or written, for timers that
// check it: both sides only store, and wake nothing. The times are the loop's.
type Activity struct {
	loop  *reactor.Loop
	last  atomic.Int64
	began atomic.Int64          // 0: no message in progress
	meter atomic.Pointer[Meter] // if set, it counts instead
}

// Start sets the last time to the present.
func (a *Activity) Start(l *reactor.Loop) {
	a.loop = l
	a.last.Store(int64(l.Time()))
}

// Last returns when data was last read or written.
func (a *Activity) Last() time.Duration {
	last := time.Duration(a.last.Load())
	if m := a.meter.Load(); m != nil {
		return m.latest(last)
	}
	return last
}

// MessageBegan returns when the message in progress began: a message lasts from
// the first read until a write. It is 0 if there is none.
func (a *Activity) MessageBegan() time.Duration {
	if m := a.meter.Load(); m != nil {
		return m.activity.MessageBegan()
	}
	return time.Duration(a.began.Load())
}

// Meter returns a meter that counts instead of a from now on. If a is nil, so
// is the meter.
func (a *Activity) Meter() *Meter {
	if a == nil {
		return nil
	}
	if m := a.meter.Load(); m != nil {
		return m
	}
	m := &Meter{}
	m.activity.Start(a.loop)
	a.meter.CompareAndSwap(nil, m)
	return a.meter.Load()
}

func (a *Activity) heard() {
	now := int64(a.loop.Time())
	a.last.Store(now)
	if a.began.Load() == 0 {
		a.began.Store(max(1, now))
	}
}

func (a *Activity) spoke() {
	a.last.Store(int64(a.loop.Time()))
	a.began.Store(0)
}
