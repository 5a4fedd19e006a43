package reactor

// An offer is an item in the hand of a task that waits in Put, of a queue that is
// a [Rendezvous].
//
// Invariant: node stands in the queue's offers until the item is taken or the
// task has given up. A task that was woken by its cancellation and has not run yet
// is not in putter any more: its offer does not hold.
type offer[T any] struct {
	item   T
	node   waiter
	putter waitList // the one task
}

// Wake is called when the queue is closed.
func (o *offer[T]) Wake() { o.putter.wakeAll(wokenClosed) }

// offer waits until a getter takes the item.
func (q *queue[T]) offer(w *worker, s *scope, item T) error {
	o := &offer[T]{item: item}
	o.node.Hook = o
	q.offers.push(&o.node)
	defer o.node.Leave() // deferred, for the task may be cut off
	return o.putter.wait(w, s, waitingFor("a getter of its item"))
}

// accept takes the item that was offered first. The error is [ErrEmpty].
func (q *queue[T]) accept() (item T, err error) {
	for x := q.offers.first(); x != nil; x = q.offers.first() {
		q.offers.remove(x)
		o := x.Hook.(*offer[T])
		if o.putter.wakeFirst(wokenDone) {
			q.unfinished++
			return o.item, nil
		}
	}
	return item, ErrEmpty
}
