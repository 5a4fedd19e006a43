package core

import (
	"sync"
	"sync/atomic"
)

// An inbox holds functions of other goroutines to be called on the loop's
// thread.
//
// No message is lost and no wake-up is wasted. A sender adds its message and
// then checks whether the loop is asleep; the loop sets a flag that it is
// asleep and then checks for messages. Whichever comes second sees the other,
// so either the loop does not sleep, or exactly one sender wakes it.
type inbox struct {
	poller Poller
	mu     sync.Mutex
	msgs   []func()
	spare  []func()
	closed bool
	full   atomic.Bool // there may be messages
	asleep atomic.Bool
}

// put adds f, to be called on the loop's thread before its next batch of tasks.
// It returns false if the loop has ended; then f is not called.
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

// drain calls all that was put in so far. It returns how many that was.
func (b *inbox) drain() int {
	if b.empty() {
		return 0
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
	if cap(msgs) <= 1024 { // otherwise a burst's memory would be kept
		b.spare = msgs[:0]
	}
	return len(msgs)
}

// close refuses further messages, and then calls those that are in. (In the
// other order, senders that never stop would keep it draining.)
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.drain()
}

// Post makes the loop call f on its thread, before its next batch of tasks. It
// returns false if the loop has ended. It may be called from any goroutine.
func (l *Loop) Post(f func()) bool { return l.inbox.put(f) }
