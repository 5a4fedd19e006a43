package core

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// An inbox holds messages of other goroutines and loops, which are handled on the
// loop's thread. It has no lock: a sender that is held up holds up nobody else.
//
// No message is lost and no wake-up is wasted. A sender adds its message and
// then checks whether the loop is asleep; the loop sets a flag that it is
// asleep and then checks for messages. Whichever comes second sees the other,
// so either the loop does not sleep, or exactly one sender wakes it.
//
// Invariant: latest is a list of messages, the latest first, that the loop has not
// taken; or &sealed, when it takes no more.
type inbox struct {
	poller Poller
	taken  uint // messages that were handled

	_      [64]byte // what senders write is on a cache line of its own
	latest atomic.Pointer[Message]
	asleep atomic.Bool
	crowd  atomic.Bool   // the last messages were several at a time, and no sleep has ended without any since
	wakes  atomic.Uint64 // that were needed
	_      [64]byte
}

// A Message makes a loop wake its hook. It can be part of a larger structure, so that
// to post it allocates nothing. It must not be posted again before the hook was woken.
type Message struct {
	next *Message
	Hook Hook // on the loop's thread; it must not wait
}

var sealed Message

// put adds m, whose hook is woken on the loop's thread before its next batch of
// tasks. It returns false if the loop has ended; then it never is.
func (b *inbox) put(m *Message) bool {
	ok, wake := b.add(m)
	if wake {
		b.poller.Wake()
	}
	return ok
}

// putPatiently is put for a goroutine that has nothing else to do. If messages come in
// numbers, it lets those who have more of them put them in before it wakes the loop,
// which costs far more than a message: one wake, and one turn, are for all of them.
func (b *inbox) putPatiently(m *Message) bool {
	ok, wake := b.add(m)
	if wake {
		if b.crowd.Load() {
			runtime.Gosched()
		}
		b.poller.Wake()
	}
	return ok
}

// add puts m in, unless the loop has ended. It reports whether the caller is the one
// that must wake the loop.
func (b *inbox) add(m *Message) (ok, wake bool) {
	for {
		before := b.latest.Load()
		if before == &sealed {
			return false, false
		}
		m.next = before
		if b.latest.CompareAndSwap(before, m) {
			break
		}
	}
	if wake = b.asleep.Load() && b.asleep.CompareAndSwap(true, false); wake {
		b.wakes.Add(1)
	}
	return true, wake
}

func (b *inbox) sleep() { b.asleep.Store(true) }
func (b *inbox) awake() { b.asleep.Store(false) }

func (b *inbox) empty() bool {
	m := b.latest.Load()
	return m == nil || m == &sealed
}

// note remembers how many messages there were at a time.
func (b *inbox) note(n int) {
	if crowd := n > 1; crowd != b.crowd.Load() {
		b.crowd.Store(crowd)
	}
}

// drain handles all that was put in so far. It returns how many that was.
func (b *inbox) drain() int {
	if b.empty() {
		return 0
	}
	n := b.handle(b.latest.Swap(nil))
	b.note(n)
	return n
}

// handle handles a list of messages, the oldest first, and returns how many it had.
func (b *inbox) handle(latest *Message) (n int) {
	var oldest *Message
	for m := latest; m != nil; {
		next := m.next
		m.next = oldest
		oldest, m = m, next
	}
	for m := oldest; m != nil; n++ {
		next, hook := m.next, m.Hook // m may be posted again by its hook
		m.next = nil
		b.taken++
		hook.Wake()
		m = next
	}
	return n
}

// close refuses further messages, and then handles those that are in. (In the
// other order, senders that never stop would keep it draining.)
func (b *inbox) close() { b.handle(b.latest.Swap(&sealed)) }

// PostMessage makes the loop wake m's hook on its thread, before its next batch of
// tasks. It returns false if the loop has ended. It may be called from any goroutine,
// and keeps the order of calls from one of them. It allocates nothing, and makes a
// system call only if the loop is asleep.
func (l *Loop) PostMessage(m *Message) bool { return l.inbox.put(m) }

// PostPatiently is like [Loop.PostMessage], for a goroutine that has nothing else to
// do. It may give way to other goroutines first, and so must not be called on a loop's
// thread.
func (l *Loop) PostPatiently(m *Message) bool { return l.inbox.putPatiently(m) }

// Post is like PostMessage, for a function.
func (l *Loop) Post(f func()) bool {
	p := posts.Get().(*post)
	p.f = f
	ok := l.inbox.put(&p.Message)
	if !ok {
		p.free()
	}
	return ok
}

// A post is the message of a Post.
type post struct {
	Message
	f func()
}

var posts = sync.Pool{New: func() any {
	p := new(post)
	p.Hook = p
	return p
}}

func (p *post) Wake() {
	f := p.f
	p.free()
	f()
}

func (p *post) free() {
	p.f = nil
	posts.Put(p)
}
