package core

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/eddyio/eddy/coro"
)

// A Home is the loop that a primitive belongs to: that of the first task or
// callback that uses it, until that loop has ended. Before and after, a
// primitive belongs to no loop, and any code may set it up or inspect it. The
// zero Home belongs to no loop. It must not be copied; go vet reports copies
// because of its atomic pointer.
type Home struct{ loop atomic.Pointer[Loop] }

// enter makes the primitive belong to the loop l, whose running task calls op.
// It panics if the primitive belongs to another loop.
func (h *Home) enter(l *Loop, op string) {
	if h.loop.Load() != l {
		h.move(l, op)
	}
}

func (h *Home) move(l *Loop, op string) {
	old := h.loop.Load()
	if old != nil && !old.finished.Load() || !h.loop.CompareAndSwap(old, l) {
		panic("reactor: " + op + " of what belongs to another loop: use Submit to reach that loop")
	}
}

// Await is the first step of a primitive's operation op that may suspend; see
// the function [Await].
func (h *Home) Await(ctx context.Context, op string) (*Worker, *Scope, error) {
	w, s, err := Await(ctx, op)
	h.enter(w.loop, op)
	return w, s, err
}

// OnLoop panics if the primitive belongs to a loop and the caller of op is not
// a task or callback of it. If the primitive belongs to no loop, it finds out
// whether the caller is on one.
func (h *Home) OnLoop(op string) {
	if l := h.loop.Load(); l == nil || !l.OnThread() {
		h.strange(op)
	}
}

func (h *Home) strange(op string) {
	if l := h.loop.Load(); l != nil && !l.finished.Load() {
		l.OnLoop(op)
	} else if l := callerLoop(); l != nil {
		h.move(l, op)
	}
}

// Task returns the running task of the primitive's loop, or nil for a callback.
// The caller must be on the loop, or the primitive belong to none.
func (h *Home) Task() *Task {
	if l := h.loop.Load(); l != nil && l.OnThread() {
		return l.cur.task
	}
	return nil
}

// A noCopy field makes go vet report copies of a struct that has no Home.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// alive holds the loops that have not ended.
var alive struct {
	mu    sync.Mutex
	loops atomic.Pointer[[]*Loop]
}

func (l *Loop) enroll() {
	alive.mu.Lock()
	defer alive.mu.Unlock()
	var loops []*Loop
	if old := alive.loops.Load(); old != nil {
		loops = slices.Clone(*old)
	}
	loops = append(loops, l)
	alive.loops.Store(&loops)
}

func (l *Loop) withdraw() {
	alive.mu.Lock()
	defer alive.mu.Unlock()
	loops := slices.DeleteFunc(slices.Clone(*alive.loops.Load()), func(o *Loop) bool { return o == l })
	alive.loops.Store(&loops)
}

// callerLoop returns the loop whose task or callback is calling, or nil. It is
// cheap on a loop; elsewhere it gets the thread's id. As in OnThread, the read
// of running needs no synchronization.
//
//go:norace
func callerLoop() *Loop {
	loops := alive.loops.Load()
	if loops == nil || len(*loops) == 0 {
		return nil
	}
	self := coro.Self()
	for _, l := range *loops {
		if l.running == self {
			return l
		}
	}
	thread := threadID()
	for _, l := range *loops {
		if l.running != 0 && l.thread == thread {
			return l
		}
	}
	return nil
}
