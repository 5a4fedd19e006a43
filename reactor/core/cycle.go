package core

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Tasks that wait for each other in a cycle wait forever. The check is made
// when the wait that closes the cycle begins.
//
// Only waits that nothing but the end of tasks can end count, so not those with
// a deadline or under a foreign context. A possible cancellation of a task by
// another does not exempt a wait.

// ErrSelf is returned to a task that waits for itself. If a task waits for
// others that wait for it, its error wraps ErrSelf and names them. The cycle is
// detected when a wait begins that would never end, unless a deadline or a
// foreign context can end it.
var ErrSelf = errors.New("reactor: a task can't wait for itself")

// maxCycleSearch bounds how many tasks a search visits. Larger cycles are not
// found.
const maxCycleSearch = 256

// A Joiner is an object of a wait for several tasks.
type Joiner interface {
	// Joins yields the tasks that are not over. It may omit those that wait for
	// nothing.
	Joins(yield func(*Task) bool)
	// All reports whether all of them must end before the wait does. If not,
	// the wait ends when one of left tasks does.
	All() (all bool, left int)
}

// A boundedJoiner is a Joiner whose own scope has a deadline that ends the
// tasks.
type boundedJoiner interface {
	Joiner
	Bounds() *Scope
}

// refuseCycle returns an error if w's task, which is about to wait for t under
// s, would close a cycle.
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

// RefuseCycles is refuseCycle for a wait for several tasks.
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

// awaited reports whether a task may be waiting for t.
func (t *Task) awaited() bool {
	switch t.keeper.(type) {
	case nil, *Task:
		return !t.waiters.Empty()
	}
	return true
}

// bounded reports whether a wait under s can end by a deadline, or by a foreign
// context other than that of Run.
func (s *Scope) bounded() bool {
	for ; s != nil && s != &s.loop.root; s = s.up {
		if e := s.extra.Load(); e != nil && (e.until.Load() != 0 || e.follows != nil) {
			return true
		}
	}
	return false
}

// A CallWait is an object of a wait for functions that other loops call.
type CallWait interface {
	// Awaits reports whether the wait can't end before t, a task of the caller's loop,
	// does: a function that the wait is for has called the one that t runs.
	Awaits(t *Task) bool
}

type cycleSearch struct {
	me     *Task
	budget int
	path   []*Task // if a cycle was found, from the task that waits for me, backwards
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
	case CallWait:
		found = what.Awaits(c.me)
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

// KeptBy yields the tasks directly below s whose keeper is k and that have
// begun.
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
