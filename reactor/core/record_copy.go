package core

import (
	"maps"
	"strings"
	"time"

	"github.com/eddyio/eddy/internal/flight"
)

// givenNames are the names that tasks were given of late: a task that is over can't be
// asked.
//
// Invariants: names has the tasks of order, and at most maxGiven; the one at next was
// named the longest ago.
type givenNames struct {
	names map[uint32]string
	order []uint32
	next  int
}

const (
	maxGiven   = 4096
	maxLetters = 200
)

func (g *givenNames) add(id uint32, name string) {
	if len(name) > maxLetters {
		name = strings.ToValidUTF8(name[:maxLetters], "") + "…"
	}
	if g.names == nil {
		g.names = make(map[uint32]string)
	}
	if _, again := g.names[id]; !again {
		if len(g.order) < maxGiven {
			g.order = append(g.order, id)
		} else {
			delete(g.names, g.order[g.next])
			g.order[g.next] = id
			g.next = (g.next + 1) % maxGiven
		}
	}
	g.names[id] = name
}

// name notes that a task was given a name.
func (r *recorder) name(id uint32, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given.add(id, name)
}

// nameGiven notes the name that t was given, if it was.
func (r *recorder) nameGiven(t *Task) {
	if e := t.scope.extra.Load(); e != nil {
		if name := e.name.Load(); name != nil {
			r.name(t.id, *name)
		}
	}
}

// Recorded returns a copy of what was recorded; nil if nothing is. It may be called from
// anywhere, also while the loop stands. A loop that takes turns is asked for the names of
// its tasks, for up to patience each time.
func (l *Loop) Recorded(patience time.Duration) *flight.Recording {
	r := l.recording.Load()
	if r == nil {
		return nil
	}
	c := r.copy()
	c.Loop, c.Name = int(l.number), l.Main()
	ids := make(map[uint32]bool)
	for _, x := range c.Records {
		if k := x.Kind(); k == flight.Woken || k == flight.Runs || k == flight.Yields || k >= flight.FirstWait {
			ids[x.ID()] = true
		}
	}
	l.nameTasks(ids, c.Tasks, patience)
	return c
}

// copy copies the ring, and the names.
func (r *recorder) copy() *flight.Recording {
	c := &flight.Recording{Records: append(r.ring.Copy(), r.underWay()), Start: r.start, Rate: 1}
	if r.clock == nil {
		c.End = r.ticks()
		if took := time.Since(r.since); c.End > 0 {
			c.Rate = float64(took) / float64(c.End)
		}
	} else {
		c.End = c.Records[len(c.Records)-1].Ticks()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Waits, c.Functions, c.Tasks = r.waits, r.functions, maps.Clone(r.given.names)
	if c.Tasks == nil {
		c.Tasks = make(map[uint32]string)
	}
	return c
}

// underWay returns the record of the step or turn that is under way.
//
//go:norace
func (r *recorder) underWay() flight.Record {
	if !r.open {
		return flight.Record{}
	}
	return flight.Record{When: uint64(r.now)<<8 | uint64(r.kind), What: flight.Two(r.id, 0)}
}

// nameTasks adds the names of tasks that live.
func (l *Loop) nameTasks(ids map[uint32]bool, names map[uint32]string, patience time.Duration) {
	if l.OnThread() {
		l.nameSome(ids, names, 0, len(l.workers))
		return
	}
	if l.sim != nil {
		return // to ask it would change what it does
	}
	const some = 500
	for from, left := 0, true; left; from += some {
		type answer struct {
			names map[uint32]string
			left  bool
		}
		done := make(chan answer, 1)
		if !l.Post(func() {
			a := answer{names: make(map[uint32]string)}
			a.left = l.nameSome(ids, a.names, from, from+some)
			done <- a
		}) {
			return
		}
		select {
		case a := <-done:
			maps.Copy(names, a.names)
			left = a.left
		case <-time.After(patience):
			return
		}
	}
}

// nameSome adds the names of the tasks of some workers, and reports whether there are
// more workers.
func (l *Loop) nameSome(ids map[uint32]bool, names map[uint32]string, from, to int) (more bool) {
	for i := from; i < min(to, len(l.workers)); i++ {
		if t := l.workers[i].task; t != nil && ids[t.id] {
			names[t.id] = t.Name().Called()
		}
	}
	return to < len(l.workers)
}
