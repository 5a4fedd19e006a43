package core

import (
	"runtime"
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
	crowd  atomic.Bool   // the last messages were several at a time, and no sleep has ended without any since
	wakes  atomic.Uint64 // that were needed
	taken  uint          // messages that were called
}

// put adds f, to be called on the loop's thread before its next batch of tasks.
// It returns false if the loop has ended; then f is not called.
func (b *inbox) put(f func()) bool {
	ok, wake := b.add(f)
	if wake {
		b.poller.Wake()
	}
	return ok
}

// putPatiently is put for a goroutine that has nothing else to do. If messages come in
// numbers, it lets those who have more of them put them in before it wakes the loop,
// which costs far more than a message: one wake, and one turn, are for all of them.
func (b *inbox) putPatiently(f func()) bool {
	ok, wake := b.add(f)
	if wake {
		if b.crowd.Load() {
			runtime.Gosched()
		}
		b.poller.Wake()
	}
	return ok
}

// add puts f in, unless the loop has ended. It reports whether the caller is the one
// that must wake the loop.
func (b *inbox) add(f func()) (ok, wake bool) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false, false
	}
	b.msgs = append(b.msgs, f)
	b.full.Store(true)
	b.mu.Unlock()
	if wake = b.asleep.Load() && b.asleep.CompareAndSwap(true, false); wake {
		b.wakes.Add(1)
	}
	return true, wake
}

func (b *inbox) sleep()      { b.asleep.Store(true) }
func (b *inbox) awake()      { b.asleep.Store(false) }
func (b *inbox) empty() bool { return !b.full.Load() }

// note remembers how many messages there were at a time.
func (b *inbox) note(n int) {
	if crowd := n > 1; crowd != b.crowd.Load() {
		b.crowd.Store(crowd)
	}
}

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
	b.note(len(msgs))
	b.taken += uint(len(msgs))
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

// PostPatiently is like [Loop.Post], for a goroutine that has nothing else to do. It may
// give way to other goroutines first, and so must not be called on a loop's thread.
func (l *Loop) PostPatiently(f func()) bool { return l.inbox.putPatiently(f) }
