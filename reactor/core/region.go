package core

import "context"

// A Region is a section of code that has a scope of its own: the body of a
// Timeout, a Scope or a Group. Regions that were entered and not left form a
// list, the innermost first: one for each worker, and one for each suspended
// body of a generator. Operations without a ctx, such as the methods of
// connections, obey the scope of the running code's innermost region.
//
// Regions need not be left in the reverse order of entering: a coroutine that
// is not a generator of the loop, such as an iter.Pull, may suspend inside one
// and end after others have been entered, on another worker, or never. So a
// region can be removed from any position of its list.
//
// Invariants:
//   - at is the pointer that refers to the region: the head of its list, or the
//     field outer of the region before it; nil if it is in no list;
//   - s.w is the worker in whose list the region is, and nil if it is in none
//     or in that of a suspended body.
type Region struct {
	s     *Scope
	outer *Region
	at    **Region
}

// Enter makes r the running task's innermost region, with s as a new scope
// below ctx.
func (w *Worker) Enter(r *Region, s *Scope, ctx context.Context) {
	s.Init(ctx, &w.loop.shielded)
	s.w = w
	r.s, r.outer, r.at = s, w.inner, &w.inner
	if r.outer != nil {
		r.outer.at = &r.outer
	}
	w.inner, w.scope = r, s
}

// Leave ends the region, and its scope. It modifies only the worker that is
// inside the region.
func (r *Region) Leave() {
	if r.at != nil {
		*r.at = r.outer
		if r.outer != nil {
			r.outer.at = r.at
		}
		r.outer, r.at = nil, nil
	}
	if w := r.s.w; w != nil && w.scope == r.s {
		w.scope = w.innermost()
	}
	r.s.Close()
}

// innermost returns the scope of the innermost region that w is in, or its
// task's.
func (w *Worker) innermost() *Scope {
	if w.inner != nil {
		return w.inner.s
	}
	for b := w.body; b != nil; b = b.under {
		if b.driver != nil {
			return b.driver.s
		}
	}
	if w.task != nil {
		return &w.task.scope
	}
	return nil
}

// moveRegions moves the regions of one list to another, which must be empty.
func moveRegions(to, from **Region) {
	*to, *from = *from, nil
	if *to != nil {
		(*to).at = to
	}
}

// abandonRegions empties the list of a worker that is about to leave its task:
// these regions will not be left on that worker.
func abandonRegions(list **Region) {
	for r := *list; r != nil; {
		outer := r.outer
		r.outer, r.at, r.s.w = nil, nil, nil
		r = outer
	}
	*list = nil
}

// clearRegions prepares w for another task. Regions that its present task
// leaves open, in a suspended coroutine that is not a generator of the loop,
// then belong to no worker.
func (w *Worker) clearRegions() {
	abandonRegions(&w.inner)
	for w.body != nil {
		b := w.body
		abandonRegions(&b.driver)
		w.body, b.under, b.w = b.under, nil, nil
	}
}

// A Body is a generator's body that has begun and not ended. While it runs, the
// regions that it is in are those of the worker that runs it; while it is
// suspended it keeps them, and its driver has its own back. So a body's regions
// do not affect its driver, and operations without a ctx in a body that is in
// no region obey the driver's innermost region.
//
// Invariants: w is the worker that runs the body, and nil while the body is
// suspended; w.body lists its bodies, linked by under. While the body is
// suspended, inner holds its regions and driver is empty; while it runs, driver
// holds its driver's regions and inner is empty.
type Body struct {
	loop   *Loop
	w      *Worker
	under  *Body
	inner  *Region
	driver *Region
}

// Init initializes the zero b to a body that has not begun.
func (b *Body) Init(l *Loop) { b.loop = l }

// Resumed moves the body's regions to the worker that runs it. It is also
// called when the body begins.
func (b *Body) Resumed() {
	w := b.loop.cur
	b.w, b.under, w.body = w, w.body, b
	moveRegions(&b.driver, &w.inner)
	moveRegions(&w.inner, &b.inner)
	for r := w.inner; r != nil; r = r.outer {
		r.s.w = w
	}
	w.scope = w.innermost()
}

// Suspending restores the worker's own regions. It is also called when the body
// ends.
func (b *Body) Suspending() {
	w := b.w
	if w == nil {
		return // its task has ended while the body was suspended in another way
	}
	for r := w.inner; r != nil; r = r.outer {
		r.s.w = nil
	}
	moveRegions(&b.inner, &w.inner)
	moveRegions(&w.inner, &b.driver)
	for at := &w.body; *at != nil; at = &(*at).under {
		if *at == b {
			*at = b.under
			break
		}
	}
	b.w, b.under = nil, nil
	w.scope = w.innermost()
}
