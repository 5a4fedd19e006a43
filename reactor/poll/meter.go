package poll

import (
	"sync/atomic"
	"time"
)

// A Meter lets a connection that wraps another one, to encrypt, compress or
// frame, report what its user reads and writes. Limits then apply to that
// instead of the bytes below, which may include traffic of the wrapping
// protocol itself: a TLS peer that asks for new keys, again and again, sends no
// message, and the reply answers none.
//
// A nil Meter counts nothing. Its methods may be called from any goroutine, and
// cost a reading of the clock.
type Meter struct {
	activity Activity
	writing  atomic.Bool // the user is writing
}

// Heard records that the user has read something.
func (m *Meter) Heard() {
	if m != nil {
		m.activity.heard()
	}
}

// Writing records that the user begins a write, or has ended it. Writes below
// in between show that the peer goes on reading.
func (m *Meter) Writing(on bool) {
	if m != nil {
		m.writing.Store(on)
		m.activity.spoke()
	}
}

// latest returns when the user, or the peer during a write, was last active.
func (m *Meter) latest(below time.Duration) time.Duration {
	if m.writing.Load() {
		return max(below, m.activity.Last())
	}
	return m.activity.Last()
}
