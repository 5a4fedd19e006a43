package core

import "context"

// A Region is a stretch of code that has a scope of its own: the body of a
// Timeout, a Scope or a Group. Regions that were entered and not left form a
// list, the innermost first: one for each worker, and one for each suspended
// body of a generator. What takes no ctx, as the methods of connections, obeys the
// scope of the running code's innermost region.
//
// Regions need not be left in the order opposite to that of entering: a coroutine
// that is no generator of the loop's, as an iter.Pull is, may suspend in the midst
// of one, and end when others have been entered, on another worker, or never. So a
// region can be taken out of its list wherever it stands.
//
// Invariants:
//   - at is the pointer that refers to the region: the head of its list, or the
//     outer of the region before it; nil if it stands in none;
//   - s.w is the worker in whose list it stands, and nil if it stands in none, or in
//     that of a suspended body.
type Region struct {
	s     *Scope
	outer *Region
	at    **Region
}

// Enter makes s, a new scope below ctx, that of the running task's innermost
// region, which is r.
func (w *Worker) Enter(r *Region, s *Scope, ctx context.Context) {
	s.Init(ctx, &w.loop.shielded)
	s.w = w
	r.s, r.outer, r.at = s, w.inner, &w.inner
	if r.outer != nil {
		r.outer.at = &r.outer
	}
	w.inner, w.scope = r, s
}

// Leave ends the region, and its scope. It touches no worker but the one that is
// inside it.
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

// moveRegions makes the regions of one list those of another, which is empty.
func moveRegions(to, from **Region) {
	*to, *from = *from, nil
	if *to != nil {
		(*to).at = to
	}
}

// abandonRegions empties a list whose worker is about to leave its task: what was
// to leave them will not do it there.
func abandonRegions(list **Region) {
	for r := *list; r != nil; {
		outer := r.outer
		r.outer, r.at, r.s.w = nil, nil, nil
		r = outer
	}
	*list = nil
}

// clearRegions prepares w for another task. Regions that its present one leaves
// open, in a coroutine that was suspended and is not a generator of the loop's,
// are nobody's from now on.
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
// suspended it keeps them, and its driver has its own back. So a region does
// not reach from a body to its driver, and what a body waits for without a ctx
// obeys, if it is in no region, whatever its driver is in.
//
// Invariants: w is the worker that runs the body, and has it in its list body, by
// under; nil while it is suspended. Then inner is the body's regions and driver
// is empty, else driver is its driver's and inner is empty.
type Body struct {
	loop   *Loop
	w      *Worker
	under  *Body
	inner  *Region
	driver *Region
}

// Init makes b, which is zero, a body that has not begun.
func (b *Body) Init(l *Loop) { b.loop = l }

// Resumed gives the worker that runs the body the body's regions. It is called
// when the body begins, too.
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

// Suspending gives the worker its own regions back. It is called when the body
// ends, too.
func (b *Body) Suspending() {
	w := b.w
	if w == nil {
		return // its task has ended, while the body was suspended by other means
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
