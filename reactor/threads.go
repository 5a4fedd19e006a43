package reactor

import (
	"slices"
	"time"
	"unsafe"

	"github.com/eddyio/eddy/reactor/core"
)

// threads are the goroutines that make ToThread's calls. Idle ones wait in a
// stack: the last one used has the warmest memory, and those at the bottom are
// not needed. Goroutines are reused because their stacks have grown to what
// libraries need, and growing a stack costs more than the rest of a call.
//
// Invariant: a thread is in idle from the end of one call to the beginning of
// the next, and threads in idle wait for work.
type threads struct {
	queue core.WaitList // tasks that wait for a thread
	idle  []*thread
	ends  bool // the loop calls end
	ended bool // end was called
}

// idleTime is how long a thread waits for work, at least, before it ends.
const idleTime = 10 * time.Second

// A thread is a goroutine that makes calls, one at a time.
type thread struct {
	loop   *Loop
	work   chan calling // buffers one; nil ends the thread
	call   calling
	labels unsafe.Pointer // of the task that asked for the call
	done   core.Message   // is posted to the loop after each call
	since  int64          // when it became idle
}

// callHere makes a call at once, on the task's goroutine, for simulations.
func (l *Loop) callHere(c calling) {
	defer c.record().returned() // also if it calls runtime.Goexit
	c.do()
}

// callInThread makes a thread do the call.
func (l *Loop) callInThread(c calling) {
	t := l.threads.pop()
	if t == nil {
		t = &thread{loop: l, work: make(chan calling, 1)}
		t.done.Hook = core.HookFunc(t.ready)
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

// push makes t idle, and ends a thread that has been idle for long.
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

// end ends all idle threads. Those still in a call find that the loop has
// ended.
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
		if !t.loop.core.PostPatiently(&t.done) {
			t.call = nil
			c.record().lost()
			return
		}
	}
}

// exited is called when the goroutine ends. If that is during a call, it called
// runtime.Goexit.
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
