package core

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/eddyio/eddy/coro"
)

// A Home is the loop that a primitive belongs to: that of the first task or
// callback that uses it, until that loop has ended. Before and after, a primitive
// belongs to nobody, and anybody may prepare it or look at what is left in it.
// The zero home is nobody's. It must not be copied, and go vet sees to that, for
// the atomic pointer in it.
type Home struct{ loop atomic.Pointer[Loop] }

// enter panics unless the primitive belongs to the loop l, whose running task
// calls op, or to nobody; then it belongs to l.
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

// Await is the first step of a primitive's op that suspends; see [await].
func (h *Home) Await(ctx context.Context, op string) (*Worker, *Scope, error) {
	w, s, err := Await(ctx, op)
	h.enter(w.loop, op)
	return w, s, err
}

// OnLoop panics if the primitive belongs to a loop and the caller of op is no
// task or callback of it. For what belongs to nobody, it finds out whether the
// caller is a loop's.
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
// The caller is on the loop, or the primitive is nobody's.
func (h *Home) Task() *Task {
	if l := h.loop.Load(); l != nil && l.OnThread() {
		return l.cur.task
	}
	return nil
}

// A noCopy in a struct lets go vet find copies of it, where no home does.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// alive is the loops that have not ended.
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

// callerLoop returns the loop whose task or callback is calling, or nil. It costs
// little on a loop, and asks for the thread elsewhere. As in onThread, the read of
// running needs no synchronization.
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
