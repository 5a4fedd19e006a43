package reactor

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/eddyio/eddy/coro"
)

// A home is the loop that a primitive belongs to: that of the first task or
// callback that uses it, until that loop has ended. Before and after, a primitive
// belongs to nobody, and anybody may prepare it or look at what is left in it.
// The zero home is nobody's. It must not be copied, and go vet sees to that, for
// the atomic pointer in it.
type home struct{ loop atomic.Pointer[loop] }

// enter panics unless the primitive belongs to the loop l, whose running task
// calls op, or to nobody; then it belongs to l.
func (h *home) enter(l *loop, op string) {
	if h.loop.Load() != l {
		h.move(l, op)
	}
}

func (h *home) move(l *loop, op string) {
	old := h.loop.Load()
	if old != nil && !old.finished.Load() || !h.loop.CompareAndSwap(old, l) {
		panic("reactor: " + op + " of what belongs to another loop: use Submit to reach that loop")
	}
}

// await is the first step of a primitive's op that suspends; see [await].
func (h *home) await(ctx context.Context, op string) (*worker, *scope, error) {
	w, s, err := await(ctx, op)
	h.enter(w.loop, op)
	return w, s, err
}

// onLoop panics if the primitive belongs to a loop and the caller of op is no
// task or callback of it. For what belongs to nobody, it finds out whether the
// caller is a loop's.
func (h *home) onLoop(op string) {
	if l := h.loop.Load(); l == nil || !l.onThread() {
		h.strange(op)
	}
}

func (h *home) strange(op string) {
	if l := h.loop.Load(); l != nil && !l.finished.Load() {
		l.onLoop(op)
	} else if l := callerLoop(); l != nil {
		h.move(l, op)
	}
}

// task returns the running task of the primitive's loop, or nil for a callback.
// The caller is on the loop, or the primitive is nobody's.
func (h *home) task() *task {
	if l := h.loop.Load(); l != nil && l.onThread() {
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
	loops atomic.Pointer[[]*loop]
}

func (l *loop) enroll() {
	alive.mu.Lock()
	defer alive.mu.Unlock()
	var loops []*loop
	if old := alive.loops.Load(); old != nil {
		loops = slices.Clone(*old)
	}
	loops = append(loops, l)
	alive.loops.Store(&loops)
}

func (l *loop) withdraw() {
	alive.mu.Lock()
	defer alive.mu.Unlock()
	loops := slices.DeleteFunc(slices.Clone(*alive.loops.Load()), func(o *loop) bool { return o == l })
	alive.loops.Store(&loops)
}

// callerLoop returns the loop whose task or callback is calling, or nil. It costs
// little on a loop, and asks for the thread elsewhere. As in onThread, the read of
// running needs no synchronization.
//
//go:norace
func callerLoop() *loop {
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
