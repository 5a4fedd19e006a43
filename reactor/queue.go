package reactor

import (
	"context"
	"errors"
	"iter"

	"github.com/eddyio/eddy/reactor/core"
)

// ErrFull and ErrEmpty are returned by a queue's TryPut and TryGet.
var (
	ErrFull  = errors.New("reactor: the queue is full")
	ErrEmpty = errors.New("reactor: the queue is empty")
)

// Rendezvous as the Max of a queue means that it holds no items: Put waits
// until a Get takes its item, as with an unbuffered channel. TryPut succeeds
// only if a task waits in Get, and TryGet only if one waits in Put. Put costs
// an allocation if it has to wait.
const Rendezvous = -1

// A Queue passes items between tasks, first in, first out. The zero Queue is
// empty and unbounded; set Max before use to bound it. It belongs to the loop
// of the tasks that use it, and must not be copied.
//
// Waiting tasks get items in the order of their calls, directly: once an item
// is given to a waiting task, no other task can get it. It is not lost if that
// task is cancelled in the same turn: its Get still returns the item, and its
// next await returns the cancellation.
type Queue[T any] struct {
	Max int // most items held before Put waits; 0: unbounded; see Rendezvous
	queue[T]
	fifo ring[T]
}

// A LifoQueue is a [Queue] that returns the newest item first.
type LifoQueue[T any] struct {
	Max int // most items held before Put waits; 0: unbounded; see Rendezvous
	queue[T]
	lifo stack[T]
}

// A PriorityQueue is a [Queue] that returns the least item first, and of equal
// ones the oldest. Set Less before use.
type PriorityQueue[T any] struct {
	Max  int // most items held before Put waits; 0: unbounded; see Rendezvous
	Less func(a, b T) bool
	queue[T]
	heap stableHeap[T]
}

// Put adds an item, and waits while the queue is full. The error is ctx's, or
// [ErrClosed]; in both cases the item was not added.
func (q *Queue[T]) Put(ctx context.Context, item T) error { return q.put(ctx, &q.fifo, q.Max, item) }

// TryPut adds an item without waiting. The error is [ErrFull] or [ErrClosed].
func (q *Queue[T]) TryPut(item T) error { return q.tryPut(&q.fifo, q.Max, item) }

// Get removes and returns the next item, and waits while there is none. The
// error is ctx's, or [ErrClosed] once the queue is closed and empty.
func (q *Queue[T]) Get(ctx context.Context) (T, error) { return q.get(ctx, &q.fifo) }

// TryGet removes and returns the next item without waiting. The error is
// [ErrEmpty] or [ErrClosed].
func (q *Queue[T]) TryGet() (T, error) { return q.tryGet(&q.fifo) }

// Len returns the number of items in the queue.
func (q *Queue[T]) Len() int { return q.count(&q.fifo) }

// All returns an iterator that gets items until the queue is closed and empty
// or ctx is done.
func (q *Queue[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q.Get) }

// Put is like [Queue.Put].
func (q *LifoQueue[T]) Put(ctx context.Context, item T) error {
	return q.put(ctx, &q.lifo, q.Max, item)
}

// TryPut is like [Queue.TryPut].
func (q *LifoQueue[T]) TryPut(item T) error { return q.tryPut(&q.lifo, q.Max, item) }

// Get is like [Queue.Get].
func (q *LifoQueue[T]) Get(ctx context.Context) (T, error) { return q.get(ctx, &q.lifo) }

// TryGet is like [Queue.TryGet].
func (q *LifoQueue[T]) TryGet() (T, error) { return q.tryGet(&q.lifo) }

// Len returns the number of items in the queue.
func (q *LifoQueue[T]) Len() int { return q.count(&q.lifo) }

// All is like [Queue.All].
func (q *LifoQueue[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q.Get) }

// Put is like [Queue.Put]. It panics if Less is not set.
func (q *PriorityQueue[T]) Put(ctx context.Context, item T) error {
	return q.put(ctx, q.items(), q.Max, item)
}

// TryPut is like [Queue.TryPut]. It panics if Less is not set.
func (q *PriorityQueue[T]) TryPut(item T) error { return q.tryPut(q.items(), q.Max, item) }

// Get is like [Queue.Get]. It panics if Less is not set.
func (q *PriorityQueue[T]) Get(ctx context.Context) (T, error) { return q.get(ctx, q.items()) }

// TryGet is like [Queue.TryGet]. It panics if Less is not set.
func (q *PriorityQueue[T]) TryGet() (T, error) { return q.tryGet(q.items()) }

// Len returns the number of items in the queue.
func (q *PriorityQueue[T]) Len() int { return q.count(&q.heap) }

// All is like [Queue.All].
func (q *PriorityQueue[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q.Get) }

func (q *PriorityQueue[T]) items() *stableHeap[T] {
	q.home.OnLoop("using a PriorityQueue")
	if q.Less == nil {
		panic("reactor: a PriorityQueue needs a Less function: set it before use")
	}
	q.heap.less = q.Less
	return &q.heap
}

func all[T any](ctx context.Context, get func(context.Context) (T, error)) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			item, err := get(ctx)
			if err != nil || !yield(item) {
				return
			}
		}
	}
}

// queue is the common part of the queues: the waiting tasks, and the items and
// room promised to woken ones.
//
// Invariants:
//   - a getter waits only while there is no item; items put then go to handed,
//     in the order in which getters were woken, and each of these takes one
//     when it runs, even if it is cancelled;
//   - a putter waits only while items and promised fill the queue; promised is
//     the room kept for putters that were woken and have not run;
//   - in a rendezvous queue, offers holds the items of waiting putters, and no
//     getter waits while there is an offer whose putter still waits.
type queue[T any] struct {
	home       core.Home
	handed     ring[T]
	promised   int
	getters    core.WaitList
	putters    core.WaitList
	offers     core.WaitList // of hooks, each an *offer[T]
	unfinished int
	joiners    core.WaitList
	closed     bool
	bound      queueBound
}

// A queueBound is the queue's Max, as the last Put knew it, for what is said of those
// that wait.
type queueBound struct{ max int }

// itemWait is a queue, which has no items, as what a Get waits for.
type itemWait queueBound

func (q *itemWait) Describe(d *core.Wait) { d.For, d.Max = "an item in a queue", q.max }

func (q *itemWait) String() string { return core.Described(q) }

// roomWait is a queue that is full as what a Put waits for.
type roomWait queueBound

func (q *roomWait) Describe(d *core.Wait) { d.For, d.Have, d.Max = "room in a queue", q.max, q.max }

func (q *roomWait) String() string { return core.Described(q) }

// items holds a queue's items that no getter waits for.
type items[T any] interface {
	push(T)
	pop() T
	len() int
}

func (q *queue[T]) count(in items[T]) int {
	q.home.OnLoop("Queue.Len")
	return in.len()
}

func (q *queue[T]) full(in items[T], max int) bool {
	q.bound.max = max
	if max < 0 {
		return q.getters.Empty()
	}
	return max > 0 && in.len()+q.promised >= max
}

func (q *queue[T]) put(ctx context.Context, in items[T], max int, item T) error {
	w, s, err := q.home.Await(ctx, "Queue.Put")
	if err != nil {
		return err
	}
	if q.closed || !q.full(in, max) {
		return q.place(in, max, item)
	}
	if max < 0 {
		return q.offer(w, s, item)
	}
	if err := q.putters.Wait(w, s, (*roomWait)(&q.bound)); err != nil {
		return err
	}
	q.promised--
	if q.closed {
		return ErrClosed
	}
	defer func() {
		if !q.full(in, max) { // a getter has taken it at once, or Less has panicked: there is still room
			q.promise()
		}
	}()
	q.add(in, item)
	return nil
}

// promise gives room that has become free to the putter that has waited longest.
func (q *queue[T]) promise() {
	if q.putters.WakeFirst(core.WokenDone) {
		q.promised++
	}
}

func (q *queue[T]) tryPut(in items[T], max int, item T) error {
	q.home.OnLoop("Queue.TryPut")
	return q.place(in, max, item)
}

func (q *queue[T]) place(in items[T], max int, item T) error {
	switch {
	case q.closed:
		return ErrClosed
	case q.full(in, max):
		return ErrFull
	}
	q.add(in, item)
	return nil
}

func (q *queue[T]) add(in items[T], item T) {
	if q.getters.Empty() {
		in.push(item) // first, because Less may panic
		q.unfinished++
		return
	}
	q.unfinished++
	q.handed.push(item)
	q.getters.WakeFirst(core.WokenDone)
}

func (q *queue[T]) get(ctx context.Context, in items[T]) (item T, err error) {
	w, s, err := q.home.Await(ctx, "Queue.Get")
	if err != nil {
		return item, err
	}
	if item, err = q.take(in); err != ErrEmpty {
		return item, err
	}
	if err := q.getters.Wait(w, s, (*itemWait)(&q.bound)); err != nil {
		return item, err
	}
	return q.handed.pop(), nil
}

func (q *queue[T]) tryGet(in items[T]) (item T, err error) {
	q.home.OnLoop("Queue.TryGet")
	return q.take(in)
}

func (q *queue[T]) take(in items[T]) (item T, err error) {
	if in.len() == 0 {
		item, err = q.accept()
		if err != nil && q.closed {
			err = ErrClosed
		}
		return item, err
	}
	item = in.pop()
	q.promise()
	return item, nil
}

// TaskDone marks the work on an item from Get as done; see Join. It panics if
// it is called more often than items were put.
func (q *queue[T]) TaskDone() {
	q.home.OnLoop("Queue.TaskDone")
	if q.unfinished == 0 {
		panic("reactor: TaskDone more often than items were put")
	}
	if q.unfinished--; q.unfinished == 0 {
		q.joiners.WakeAll(core.WokenDone)
	}
}

// Join waits until TaskDone has been called for every item that was put. The
// error is ctx's.
func (q *queue[T]) Join(ctx context.Context) error {
	w, s, err := q.home.Await(ctx, "Queue.Join")
	if err != nil || q.unfinished == 0 {
		return err
	}
	return q.joiners.Wait(w, s, waitingFor("the work on a queue's items"))
}

// Close ends the queue: nothing more can be put, and tasks waiting to put get
// [ErrClosed]. The remaining items can still be taken; after that, Get returns
// ErrClosed too. Closing it again does nothing.
func (q *queue[T]) Close() {
	q.home.OnLoop("Queue.Close")
	q.closed = true
	q.putters.WakeAll(core.WokenClosed)
	q.offers.WakeAll(core.WokenClosed)
	q.getters.WakeAll(core.WokenClosed)
}

// ring is a FIFO that doubles when full. Unused entries are zero.
type ring[T any] struct {
	buf  []T
	head int
	n    int
}

func (r *ring[T]) len() int { return r.n }

func (r *ring[T]) push(item T) {
	if r.n == len(r.buf) {
		buf := make([]T, max(8, 2*len(r.buf)))
		for i := range r.n {
			buf[i] = r.buf[(r.head+i)&(len(r.buf)-1)]
		}
		r.buf, r.head = buf, 0
	}
	r.buf[(r.head+r.n)&(len(r.buf)-1)] = item
	r.n++
}

func (r *ring[T]) pop() T {
	var none T
	item := r.buf[r.head]
	r.buf[r.head] = none
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
	return item
}

// stack is a LIFO.
type stack[T any] struct{ buf []T }

func (s *stack[T]) len() int    { return len(s.buf) }
func (s *stack[T]) push(item T) { s.buf = append(s.buf, item) }

func (s *stack[T]) pop() T {
	var none T
	last := len(s.buf) - 1
	item := s.buf[last]
	s.buf[last] = none
	s.buf = s.buf[:last]
	return item
}

// stableHeap returns the least item, and of equal ones the oldest. It is a
// binary heap: no entry comes before its parent, which is at (i-1)/2.
// (container/heap would allocate for each item.) It finds the place for an
// entry before it moves any, so that a panic in less changes nothing.
type stableHeap[T any] struct {
	less    func(a, b T) bool
	entries []heapEntry[T]
	pushed  uint64
}

type heapEntry[T any] struct {
	item T
	seq  uint64
}

func (h *stableHeap[T]) len() int { return len(h.entries) }

func (h *stableHeap[T]) push(item T) {
	x := heapEntry[T]{item, h.pushed + 1}
	hole := len(h.entries)
	for hole > 0 && h.before(&x, &h.entries[(hole-1)/2]) {
		hole = (hole - 1) / 2
	}
	h.pushed++
	h.entries = append(h.entries, heapEntry[T]{})
	for i := len(h.entries) - 1; i > hole; i = (i - 1) / 2 {
		h.entries[i] = h.entries[(i-1)/2]
	}
	h.entries[hole] = x
}

func (h *stableHeap[T]) pop() T {
	last := len(h.entries) - 1
	x := h.entries[last] // fills the first one's place
	hole := 0
	for child := h.lesserChild(0); child < last && h.before(&h.entries[child], &x); child = h.lesserChild(hole) {
		hole = child
	}
	h.entries[last] = heapEntry[T]{}
	h.entries = h.entries[:last]
	if last == 0 {
		return x.item
	}
	for i := hole; ; i = (i - 1) / 2 { // entries on the path move up
		h.entries[i], x = x, h.entries[i]
		if i == 0 {
			return x.item
		}
	}
}

// lesserChild returns the child of i that comes first, ignoring the last entry;
// there may be none.
func (h *stableHeap[T]) lesserChild(i int) int {
	left := 2*i + 1
	if left+2 < len(h.entries) && h.before(&h.entries[left+1], &h.entries[left]) {
		return left + 1
	}
	return left
}

func (h *stableHeap[T]) before(a, b *heapEntry[T]) bool {
	return h.less(a.item, b.item) || !h.less(b.item, a.item) && a.seq < b.seq
}
