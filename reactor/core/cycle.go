package core

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A task that waits for one that waits for it, by way of however many others,
// waits for ever. That is looked for when the wait that closes the circle begins.
//
// A wait counts only if nothing but the end of tasks is there to end it. One that a
// deadline ends, or a foreign context, does not; that somebody may cancel a task is
// no reason to wait for it.

// ErrSelf is returned to a task that waits for itself, and, wrapped by an error that
// names them, to one that waits for others which wait for it. It is found when the
// wait begins that would never end, unless a deadline or a foreign context ends it.
var ErrSelf = errors.New("reactor: a task can't wait for itself")

// maxCycleSearch bounds how many tasks a search looks at. A circle that is larger is
// not found.
const maxCycleSearch = 256

// A Joiner is what a task waits for that waits for several others.
type Joiner interface {
	// Joins ranges over the tasks that are not over. It may leave out those that
	// wait for nothing.
	Joins(yield func(*Task) bool)
	// All reports whether each of them must end before the wait does. Else it ends
	// when one of left does.
	All() (all bool, left int)
}

// A boundedJoiner is a joiner whose own scope's deadline ends the tasks that it
// waits for.
type boundedJoiner interface {
	Joiner
	Bounds() *Scope
}

// refuseCycle returns an error if the running task w is about to wait, under s, for
// t, which waits for w's.
func (w *Worker) refuseCycle(s *Scope, t *Task) error {
	if w.task == t {
		return ErrSelf
	}
	if !w.task.awaited() {
		return nil
	}
	c := cycleSearch{me: w.task, budget: maxCycleSearch}
	if c.leads(t) && !s.bounded() {
		return c.err()
	}
	return nil
}

// RefuseCycles is refuseCycle for a wait for several.
func (w *Worker) RefuseCycles(s *Scope, j Joiner) error {
	if !w.task.awaited() { // not even by itself
		return nil
	}
	c := cycleSearch{me: w.task, budget: maxCycleSearch}
	if !c.leadsAny(j) || s.bounded() {
		return nil
	}
	if len(c.path) == 0 {
		return ErrSelf
	}
	return c.err()
}

// awaited reports whether anybody may be waiting for t.
func (t *Task) awaited() bool {
	switch t.keeper.(type) {
	case nil, *Task:
		return !t.waiters.Empty()
	}
	return true
}

// bounded reports whether a wait under s ends of itself: by a deadline, or by a
// foreign context other than that of Run.
func (s *Scope) bounded() bool {
	for ; s != nil && s != &s.loop.root; s = s.up {
		if e := s.extra.Load(); e != nil && (e.until.Load() != 0 || e.follows != nil) {
			return true
		}
	}
	return false
}

type cycleSearch struct {
	me     *Task
	budget int
	path   []*Task // from the one that waits for me backwards, once found
}

// leads reports whether t can't end before c.me does.
func (c *cycleSearch) leads(t *Task) (found bool) {
	if t == c.me {
		return true
	}
	c.budget--
	w := t.scope.w
	if c.budget < 0 || w == nil || w.task != t || w.state != parked {
		return false
	}
	before := len(c.path)
	switch what := w.what.(type) {
	case *Task:
		found = c.leads(what)
	case Joiner:
		found = c.leadsAny(what)
		if b, ok := what.(boundedJoiner); ok && found {
			found = !b.Bounds().bounded()
		}
	}
	if !found || w.where.bounded() {
		c.path = c.path[:before]
		return false
	}
	c.path = append(c.path, t)
	return true
}

// leadsAny reports whether the wait for j can't end before c.me does.
func (c *cycleSearch) leadsAny(j Joiner) bool {
	all, left := j.All()
	before := len(c.path)
	for t := range j.Joins {
		c.path = c.path[:before]
		found := c.leads(t)
		if found {
			left--
		}
		if found && (all || left == 0) {
			return true
		}
		if !found && !all {
			return false
		}
	}
	c.path = c.path[:before]
	return false
}

func (c *cycleSearch) err() error {
	slices.Reverse(c.path)
	var b strings.Builder
	fmt.Fprintf(&b, "reactor: %v can't wait for ", c.me)
	for _, t := range c.path {
		fmt.Fprintf(&b, "%v, which waits for ", t)
	}
	return fmt.Errorf("%s%v: %w", b.String(), c.me, ErrSelf)
}

// KeptBy ranges over the tasks directly below s that k keeps and that have begun.
func (s *Scope) KeptBy(k Keeper, yield func(*Task) bool) {
	for x := s.kids; x != nil; {
		if w := x.w; w != nil && w.task != nil && &w.task.scope == x && w.task.keeper == k && !yield(w.task) {
			return
		}
		if x = x.next; x == s.kids {
			return
		}
	}
}
