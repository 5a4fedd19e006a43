package shard

import (
	"context"
	"sync/atomic"

	"github.com/eddyio/eddy/reactor/core"
)

// A phase is over when every shard has ended it, each once.
type phase struct {
	left  atomic.Int32
	sides []phaseSide
}

// A phaseSide is a shard's part of a phase. All but the message belongs to its loop's
// thread.
type phaseSide struct {
	loop    *core.Loop // nil if the shard has no loop, or does not wait for the phase
	message core.Message
	ended   bool
	open    bool
	waiting core.WaitList
}

func (p *phase) init(shards int) {
	p.left.Store(int32(shards))
	p.sides = make([]phaseSide, shards)
}

// end ends the phase for a shard, unless it has ended there already. It must be called on
// the shard's goroutine. The last one tells all that have a loop.
func (p *phase) end(shard int, loop *core.Loop) {
	own := &p.sides[shard]
	if own.ended {
		return
	}
	own.ended, own.loop = true, loop
	own.message.Hook = own
	if p.left.Add(-1) > 0 {
		return
	}
	for i := range p.sides {
		if s := &p.sides[i]; s.loop != nil {
			s.loop.PostMessage(&s.message)
		}
	}
}

// Wake is called when the phase is over on all shards.
func (s *phaseSide) Wake() {
	s.open = true
	s.waiting.WakeAll(core.WokenDone)
}

// wait waits until the phase is over on all shards. The error is ctx's.
func (p *phase) wait(ctx context.Context, shard int) error {
	s := &p.sides[shard]
	w, scope, err := core.Await(ctx, "a phase of shards")
	if err != nil || s.open {
		return err
	}
	return s.waiting.Wait(w, scope, (*phaseWait)(p))
}

// phaseWait describes what a shard waits for.
type phaseWait phase

func (w *phaseWait) Describe(d *core.Wait) {
	d.For, d.More = "other shards,", int(w.left.Load())
}

func (w *phaseWait) String() string { return core.Described(w) }
