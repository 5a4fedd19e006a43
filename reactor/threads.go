package reactor

import (
	"slices"
	"time"
	"unsafe"

	"github.com/eddyio/eddy/reactor/core"
)

// threads are the goroutines that make ToThread's calls. Those that have none wait for
// the next in a stack: the one that was busy last has the warmest memory, and those at
// the bottom are superfluous. A goroutine is used again because its stack has grown to
// what libraries need, which costs more than all else about a call.
//
// Invariant: a thread is in idle from the end of one call to the beginning of the
// next, and those in idle wait for work.
type threads struct {
	queue core.WaitList // tasks that wait for a thread
	idle  []*thread
	ends  bool // the loop calls end
	ended bool // it has
}

// idleTime is how long a thread waits for work, at least, before it is let go.
const idleTime = 10 * time.Second

// A thread is a goroutine that makes calls, one at a time.
type thread struct {
	loop   *Loop
	work   chan calling // has room for one; nil is the end
	call   calling
	labels unsafe.Pointer // of the task that asked for the call
	done   func()         // is called on the loop after each call
	since  int64          // when it became idle
}

// callHere makes a call at once, on the goroutine of the task. In a simulation there is
// no other.
func (l *Loop) callHere(c calling) {
	defer c.record().returned() // also if it calls runtime.Goexit
	c.do()
}

// callInThread has a thread make the call.
func (l *Loop) callInThread(c calling) {
	t := l.threads.pop()
	if t == nil {
		t = &thread{loop: l, work: make(chan calling, 1)}
		t.done = t.ready
		if !l.threads.ends {
			l.threads.ends = true
			l.core.AtEnd(l.threads.end)
		}
		go t.run()
	}
	t.labels = core.GoroutineLabels()
	t.work <- c
}

func (p *threads) pop() *thread {
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	t := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return t
}

// push makes t idle, and lets one go that has not been needed for long.
func (p *threads) push(t *thread, now int64) {
	if p.ended {
		t.work <- nil
		return
	}
	t.since = now
	p.idle = append(p.idle, t)
	if oldest := p.idle[0]; now-oldest.since > int64(idleTime) {
		p.idle = slices.Delete(p.idle, 0, 1)
		oldest.work <- nil
	}
}

// end lets all go. Those that still make a call find that the loop has ended.
func (p *threads) end() {
	for _, t := range p.idle {
		t.work <- nil
	}
	p.idle, p.ended = nil, true
}

func (t *thread) run() {
	defer t.exited()
	for {
		c := <-t.work
		if c == nil {
			return
		}
		t.call = c
		if core.GoroutineLabels() != t.labels {
			core.SetGoroutineLabels(t.labels)
		}
		c.do()
		if !t.loop.core.Post(t.done) {
			t.call = nil
			c.record().lost()
			return
		}
	}
}

// exited is called when the goroutine ends. In the midst of a call that is
// runtime.Goexit's doing.
func (t *thread) exited() {
	if t.call != nil {
		t.call.record().returned()
	}
}

// ready is called on the loop when a call has been made.
func (t *thread) ready() {
	c := t.call.record()
	t.call = nil
	t.loop.threads.push(t, t.loop.core.Now())
	c.done()
}
