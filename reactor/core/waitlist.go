package core

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by operations on something that is closed, or is closed
// while they wait.
var ErrClosed = errors.New("reactor: closed")

// A Waiter is an entry of a WaitList: a parked task's worker, or a hook.
// Exactly one of w and Hook is set. A worker has one waiter of its own, because
// a task waits for one thing at a time.
type Waiter struct {
	next, prev *Waiter
	list       *WaitList // the list it is in, or nil
	w          *Worker
	Hook       Hook
}

// Worker returns the parked task's worker, or nil if x is a hook.
func (x *Waiter) Worker() *Worker { return x.w }

// Waits reports whether x is in a list.
func (x *Waiter) Waits() bool { return x.list != nil }

// Leave removes x from its list, if it is in one.
func (x *Waiter) Leave() {
	if x.list != nil {
		x.list.remove(x)
	}
}

// A Hook is woken like a task when the list's condition is true or can no
// longer be. It is a callback, which is then queued, or an object of a
// primitive. It has left the list by then.
type Hook interface{ Wake() }

// A HookFunc is a function as a hook.
type HookFunc func()

func (f HookFunc) Wake() { f() }

// A WaitList holds the waiters for one thing, the longest-waiting first.
// Everything that a task can await has one. The zero WaitList is empty.
//
// Invariant: head is the first of a circular list, or nil; every waiter in it
// has list set to it, and a worker's waiter is in a list only while its task is
// parked.
type WaitList struct{ head *Waiter }

// Empty reports whether the list is empty.
func (q *WaitList) Empty() bool { return q.head == nil }

// First returns the waiter that has waited longest, or nil.
func (q *WaitList) First() *Waiter { return q.head }

// All yields the waiters in order. The loop body may remove the current one
// from the list.
func (q *WaitList) All(yield func(*Waiter) bool) {
	x := q.head
	for range q.Len() {
		next := x.next
		if !yield(x) {
			return
		}
		x = next
	}
}

// Len returns the number of waiters, which it counts one by one.
func (q *WaitList) Len() (n int) {
	for x := q.head; x != nil; {
		n++
		if x = x.next; x == q.head {
			break
		}
	}
	return n
}

// Tasks returns the number of waiters that are tasks, which it counts one by one.
func (q *WaitList) Tasks() (n int) {
	for x := range q.All {
		if x.w != nil {
			n++
		}
	}
	return n
}

// Push adds x behind all others. A worker's node is pushed just before its task
// parks.
func (q *WaitList) Push(x *Waiter) {
	x.list = q
	if q.head == nil {
		q.head, x.next, x.prev = x, x, x
		return
	}
	first, last := q.head, q.head.prev
	x.next, x.prev = first, last
	last.next, first.prev = x, x
}

func (q *WaitList) remove(x *Waiter) {
	if x.next == x {
		q.head = nil
	} else {
		x.prev.next, x.next.prev = x.next, x.prev
		if q.head == x {
			q.head = x.next
		}
	}
	x.next, x.prev, x.list = nil, nil, nil
}

// WakeFirst wakes the longest-waiting one, if there is one, and reports whether
// there was.
func (q *WaitList) WakeFirst(why Wakeup) bool {
	if q.head == nil {
		return false
	}
	x := q.head
	q.remove(x)
	if x.w != nil {
		x.w.Wake(why)
	} else {
		x.Hook.Wake()
	}
	return true
}

// Wait suspends the running task w in the list until it is woken. The error is
// s's if s is done first, and [ErrClosed] if the list's object is closed.
func (q *WaitList) Wait(w *Worker, s *Scope, what fmt.Stringer) error {
	q.Push(&w.node)
	switch w.Park(s, what) {
	case WokenCanceled:
		return s.AwaitErr()
	case WokenClosed:
		return ErrClosed
	}
	return nil
}

// told reports whether the list has a task or a callback; other hooks do not
// count.
func (q *WaitList) told() bool {
	for x := q.head; x != nil; {
		if _, ok := x.Hook.(*Callback); x.w != nil || ok {
			return true
		}
		if x = x.next; x == q.head {
			break
		}
	}
	return false
}

// WakeAll wakes all of them, in order.
func (q *WaitList) WakeAll(why Wakeup) {
	for q.head != nil {
		q.WakeFirst(why)
	}
}

// Check returns the broken invariant of the list, or "".
func (q *WaitList) Check() string {
	if q.head == nil {
		return ""
	}
	for x := q.head; ; x = x.next {
		switch {
		case x.next.prev != x || x.prev.next != x:
			return "wait list: broken links"
		case x.list != q:
			return "wait list: a waiter names another list"
		case (x.w == nil) == (x.Hook == nil):
			return "wait list: a waiter must be a task or a hook"
		case x.w != nil && x.w.state != parked:
			return "wait list: a task stands in it that is not parked"
		}
		if x.next == q.head {
			return ""
		}
	}
}
