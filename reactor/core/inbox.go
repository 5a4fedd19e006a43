package core

import (
	"sync"
	"sync/atomic"
)

// An inbox is how other goroutines reach the loop: functions to be called on
// its thread.
//
// No message is lost and no wake-up is wasted. A sender puts its message in
// and then looks whether the loop is asleep; the loop says that it is asleep
// and then looks for messages. Whichever comes second sees the other, so
// either the loop does not sleep, or exactly one sender wakes it.
type inbox struct {
	poller Poller
	mu     sync.Mutex
	msgs   []func()
	spare  []func()
	closed bool
	full   atomic.Bool // there may be messages
	asleep atomic.Bool
}

// put hands f over, to be called on the loop's thread before its next batch of
// tasks. It is false when the loop has ended, and f will not be called.
func (b *inbox) put(f func()) bool {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.msgs = append(b.msgs, f)
	b.full.Store(true)
	b.mu.Unlock()
	if b.asleep.Load() && b.asleep.CompareAndSwap(true, false) {
		b.poller.Wake()
	}
	return true
}

func (b *inbox) sleep()      { b.asleep.Store(true) }
func (b *inbox) awake()      { b.asleep.Store(false) }
func (b *inbox) empty() bool { return !b.full.Load() }

// drain calls all that was put in so far.
func (b *inbox) drain() {
	if b.empty() {
		return
	}
	b.mu.Lock()
	msgs := b.msgs
	b.msgs, b.spare = b.spare[:0], nil
	b.full.Store(false)
	b.mu.Unlock()
	for i, f := range msgs {
		msgs[i] = nil
		f()
	}
	if cap(msgs) <= 1024 { // else a burst's memory would be kept
		b.spare = msgs[:0]
	}
}

// close refuses what comes from now on, and then calls what is in. (The other
// way round, senders that never stop would keep it draining.)
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.drain()
}

// Post has f called on the loop's thread, before its next batch of tasks. It reports
// whether the loop has not ended. It may be called from any goroutine.
func (l *Loop) Post(f func()) bool { return l.inbox.put(f) }
