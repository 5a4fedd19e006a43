package reactor

import "github.com/eddyio/eddy/reactor/core"

// An offer is the item of a task that waits in Put of a [Rendezvous] queue.
//
// Invariant: node is in the queue's offers until the item is taken or the task
// has given up. A task that was woken by its cancellation and has not run yet
// is no longer in putter: its offer is void.
type offer[T any] struct {
	item   T
	node   core.Waiter
	putter core.WaitList // the one task
}

// Wake is called when the queue is closed.
func (o *offer[T]) Wake() { o.putter.WakeAll(core.WokenClosed) }

// offer waits until a getter takes the item.
func (q *queue[T]) offer(w *core.Worker, s *core.Scope, item T) error {
	o := &offer[T]{item: item}
	o.node.Hook = o
	q.offers.Push(&o.node)
	defer o.node.Leave() // deferred, because the task may be cut off
	return o.putter.Wait(w, s, waitingFor("a getter of its item"))
}

// offering returns the number of tasks that wait in offer.
func (q *queue[T]) offering() (n int) {
	for x := range q.offers.All {
		n += x.Hook.(*offer[T]).putter.Tasks()
	}
	return n
}

// accept takes the item that was offered first. The error is [ErrEmpty] if
// there is none.
func (q *queue[T]) accept() (item T, err error) {
	for x := q.offers.First(); x != nil; x = q.offers.First() {
		x.Leave()
		o := x.Hook.(*offer[T])
		if o.putter.WakeFirst(core.WokenDone) {
			q.unfinished++
			return o.item, nil
		}
	}
	return item, ErrEmpty
}
