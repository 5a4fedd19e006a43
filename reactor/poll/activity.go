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
	began atomic.Int64 // 0: no message is under way
}

// Start begins with the present time as the last one.
func (a *Activity) Start(l *reactor.Loop) {
	a.loop = l
	a.last.Store(int64(l.Time()))
}

// Last returns when something was read or written last.
func (a *Activity) Last() time.Duration { return time.Duration(a.last.Load()) }

// MessageBegan returns when a message began that is under way: from the first read
// until a write. It is 0 if there is none.
func (a *Activity) MessageBegan() time.Duration { return time.Duration(a.began.Load()) }

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
