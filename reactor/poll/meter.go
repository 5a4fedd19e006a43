package poll

import (
	"sync/atomic"
	"time"
)

// A Meter is how a connection that encrypts, compresses or frames, and so lies over
// another one, tells what its user reads and writes. Limits then go by that, and no
// longer by the bytes below, among which may be what the two ends say to each
// other of their own accord: a TLS peer that asks for new keys, again and again, has
// sent no message, and the reply answers none.
//
// A nil Meter counts nothing. Its methods may be called from any goroutine, and cost a
// look at the clock.
type Meter struct {
	activity Activity
	writing  atomic.Bool // the user is in the midst of a write
}

// Heard counts that the user has read something.
func (m *Meter) Heard() {
	if m != nil {
		m.activity.heard()
	}
}

// Writing counts that the user begins to write something, or has written it. What
// is written below in between shows that the peer goes on reading.
func (m *Meter) Writing(on bool) {
	if m != nil {
		m.writing.Store(on)
		m.activity.spoke()
	}
}

// latest returns when the user or, in the midst of a write, the peer did something last.
func (m *Meter) latest(below time.Duration) time.Duration {
	if m.writing.Load() {
		return max(below, m.activity.Last())
	}
	return m.activity.Last()
}
