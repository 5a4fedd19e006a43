package shard

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/eddyio/eddy/reactor/core"
)

// A duct is a Channel without its items: a ring between one thread that puts and one that
// gets, and who waits at either end.
//
// Each side counts what it has done; the counts wrap around. A side that finds nothing to
// do says that it waits, and then looks again; the other side counts, and then looks
// whether the first waits. Whichever comes second sees the other, so that no wake-up is
// lost.
//
// Invariants, by the counts modulo 2^32:
//   - 0 <= put.at - get.at <= put.credit, which is the room;
//   - what an end has promised to tasks that were woken and have not run, it may do;
//   - tasks wait at an end only while it is waiting or called.
type duct struct {
	closed atomic.Bool
	put    end
	get    end
}

// The states of an end. The end's own thread changes awake to waiting and back, and called
// to awake; others change waiting to called, and then post the end's message: so it is
// posted once, until it has arrived.
const (
	awake   = iota
	waiting // for a message
	called  // the message is on its way
)

// An end is one shard's side of a duct. Its thread alone uses it, except for at, which
// others read, and what stands behind state.
type end struct {
	_        [64]byte // what is written for each item is on a cache line of its own
	at       atomic.Uint32
	seen     uint32 // peer.at, as it was when more was needed
	promised uint32
	due      bool // Exec is to come
	tasks    core.WaitList

	credit uint32 // what the end may do beyond what its peer has done
	duct   *duct
	peer   *end
	loop   *core.Loop
	of     fmt.Stringer // the shard

	_       [64]byte // the peer reads it for each item, and it seldom changes
	state   atomic.Int32
	parked  atomic.Int32 // tasks that wait, for Stats
	message core.Message // to the loop
	_       [64]byte
}

func (d *duct) init(from, to member, max uint32) {
	d.put.init(d, &d.get, from)
	d.get.init(d, &d.put, to)
	d.put.credit = max
}

func (e *end) init(d *duct, peer *end, of member) {
	e.duct, e.peer, e.of, e.loop = d, peer, of, of.core()
	e.message.Hook = e
}

// fair is how many times in a row an end is used before other tasks run.
const fair = 256

// await is the first step of an operation that may suspend.
func (e *end) await(ctx context.Context, op string) (*core.Worker, *core.Scope, error) {
	w, s, err := core.Await(ctx, op)
	if w.Loop() != e.loop {
		e.misused(op)
	}
	if err == nil && e.at.Load()%fair == fair-1 {
		w.Yield()
	}
	return w, s, err
}

func (e *end) onLoop(op string) {
	if !e.loop.OnThread() {
		e.misused(op)
	}
}

func (e *end) misused(op string) {
	panic(fmt.Sprintf("shard: %s called outside of %v: the channel leads from %v to %v, and has one end on each", op, e.of, e.duct.put.of, e.duct.get.of))
}

// allowed returns how many items the end may put, or get, without those that are promised.
func (e *end) allowed() uint32 {
	own := e.at.Load() + e.promised - e.credit
	if e.seen == own {
		e.seen = e.peer.at.Load()
	}
	return e.seen - own
}

// wait suspends the running task until the end may put, or get, an item, which it is
// promised. It returns false if that is so at once, with no promise. The error is s's, or
// ErrClosed.
func (e *end) wait(w *core.Worker, s *core.Scope) (waited bool, err error) {
	if e.arm() {
		return false, nil
	}
	e.parked.Add(1)
	err = e.tasks.Wait(w, s, e)
	e.parked.Add(-1)
	return true, err
}

// arm makes the peer call when there is something to do. It returns false then, or true if
// there already is.
func (e *end) arm() bool {
	e.state.CompareAndSwap(awake, waiting)
	if e.allowed() == 0 && !e.duct.closed.Load() {
		return false
	}
	return e.state.CompareAndSwap(waiting, awake) // else the message is on its way, and serves
}

// serve wakes tasks that wait, as many as there is something to do for.
func (e *end) serve() {
	for !e.tasks.Empty() {
		closed := e.duct.closed.Load() // before a look for what was put before
		for n := e.allowed(); n > 0 && e.tasks.WakeFirst(core.WokenDone); n-- {
			e.promised++
		}
		if closed {
			e.tasks.WakeAll(core.WokenClosed)
		}
		if e.tasks.Empty() || !e.arm() {
			return
		}
	}
}

// call makes the end serve, if it waits. It may be called from anywhere.
func (e *end) call() {
	if e.state.Load() == waiting && e.state.CompareAndSwap(waiting, called) {
		e.loop.PostMessage(&e.message) // a loop that has ended has no tasks
	}
}

// Wake is called when the message has arrived.
func (e *end) Wake() {
	e.state.Store(awake)
	e.serve()
}

// made lets the peer know of room that e has made. A peer that waits gets much of it at a
// time: it is called when half of the duct is empty, or else after e's tasks have had
// their turn, as they may wait for the peer now.
func (e *end) made() {
	switch p := e.peer; {
	case p.state.Load() != waiting:
	case e.seen-e.at.Load() <= p.credit/2:
		p.call()
	case !e.due:
		e.due = true
		e.loop.Push(e)
	}
}

// Exec is called in the turn after the one in which e has made room.
func (e *end) Exec(*core.Worker) {
	e.due = false
	e.peer.call()
}

// Len returns the number of items in the channel. It may be called from any goroutine.
func (d *duct) Len() int {
	got := d.get.at.Load()
	return int(min(d.put.at.Load()-got, d.put.credit)) // more may have been put and got meanwhile
}

// ChannelStats describe a [Channel].
type ChannelStats struct {
	Len     int // items
	Max     int
	Closed  bool
	Putting int // tasks that wait in Put
	Getting int // tasks that wait in Get
}

// Stats returns a snapshot of the channel. It may be called from any goroutine.
func (d *duct) Stats() ChannelStats {
	return ChannelStats{
		Len: d.Len(), Max: int(d.put.credit), Closed: d.closed.Load(),
		Putting: int(d.put.parked.Load()), Getting: int(d.get.parked.Load()),
	}
}

// Describe describes what a task waits for.
func (e *end) Describe(d *core.Wait) {
	d.For, d.On = "an item in a channel from", e.peer.of
	if e == &e.duct.put {
		d.For = "room in a channel to"
	}
	d.Have, d.Max = e.duct.Len(), int(e.duct.put.credit)
}

func (e *end) String() string { return core.Described(e) }

// check returns the broken invariant that can be seen at one end, or "". It is called on
// its thread.
func (e *end) check() string {
	d := e.duct
	got := d.get.at.Load()
	switch n := d.put.at.Load() - got; {
	case n > d.put.credit && d.get.at.Load() == got:
		return fmt.Sprintf("%d items are in room for %d", n, d.put.credit)
	case int32(e.allowed()) < 0:
		return fmt.Sprintf("%d are promised, %d too many", e.promised, -int32(e.allowed()))
	case !e.tasks.Empty() && e.state.Load() == awake:
		return "tasks wait, and nobody is to wake them"
	}
	return e.tasks.Check()
}
