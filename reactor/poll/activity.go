package poll

import (
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// An Activity notes when an FD was last read or written, for timers that look at it:
// both sides store, and nobody wakes. The times are the loop's.
type Activity struct {
	loop  *reactor.Loop
	last  atomic.Int64
	began atomic.Int64          // 0: no message is under way
	meter atomic.Pointer[Meter] // counts in its place, if there is one
}

// Start begins with the present time as the last one.
func (a *Activity) Start(l *reactor.Loop) {
	a.loop = l
	a.last.Store(int64(l.Time()))
}

// Last returns when something was read or written last.
func (a *Activity) Last() time.Duration {
	last := time.Duration(a.last.Load())
	if m := a.meter.Load(); m != nil {
		return m.latest(last)
	}
	return last
}

// MessageBegan returns when a message began that is under way: from the first read
// until a write. It is 0 if there is none.
func (a *Activity) MessageBegan() time.Duration {
	if m := a.meter.Load(); m != nil {
		return m.activity.MessageBegan()
	}
	return time.Duration(a.began.Load())
}

// Meter returns the meter that counts in the place of a from now on. It may be
// called on nil, and is nil then.
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
