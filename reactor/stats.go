package reactor

import (
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// This file has the method Stats of each primitive, which describes it as it is at the
// moment: for metrics, tests and a debugger's console. It changes nothing, and may be
// called where the primitive's other methods may that do not wait: by tasks and callbacks
// of its loop, and by any code while it belongs to none. To count tasks takes time that
// grows with their number. (trio's statistics.)

// MutexStats describe a [Mutex].
type MutexStats struct {
	Locked  bool
	Broken  bool   // its holder ended without unlocking it
	Holder  string // the name of the task that holds it; "" if none does, or a callback
	Waiting int    // tasks in Lock
}

// Stats describes the mutex.
func (m *Mutex) Stats() MutexStats {
	m.home.OnLoop("Mutex.Stats")
	return MutexStats{m.locked, m.broken != nil, m.holder.name(), m.waiters.Tasks()}
}

// RWMutexStats describe an [RWMutex].
type RWMutexStats struct {
	Broken         bool
	Writing        bool
	Readers        int    // times that it is locked for reading
	Holder         string // the name of the writer, or of the oldest task that reads
	WaitingWriters int    // tasks in Lock
	WaitingReaders int    // tasks in RLock
}

// Stats describes the mutex.
func (m *RWMutex) Stats() RWMutexStats {
	m.home.OnLoop("RWMutex.Stats")
	held := m.held()
	s := RWMutexStats{Broken: m.broken != nil, Writing: m.writing, Readers: m.readers, Holder: held.name()}
	for x := range m.waiters.All {
		s.WaitingWriters += x.Worker().Weight
		s.WaitingReaders += 1 - x.Worker().Weight
	}
	return s
}

// SemaphoreStats describe a [Semaphore].
type SemaphoreStats struct {
	Free    int // permits
	Total   int
	Wanted  int // permits that tasks wait for
	Waiting int // tasks in Acquire
}

// Stats describes the semaphore.
func (m *Semaphore) Stats() SemaphoreStats {
	m.home.OnLoop("Semaphore.Stats")
	var s SemaphoreStats
	s.Free, s.Total = m.permits()
	for x := range m.waiters.All {
		s.Wanted += x.Worker().Weight
		s.Waiting++
	}
	return s
}

// EventStats describe an [Event].
type EventStats struct {
	Set     bool
	Waiting int // tasks in Wait
}

// Stats describes the event.
func (e *Event) Stats() EventStats {
	e.home.OnLoop("Event.Stats")
	return EventStats{e.set, e.waiters.Tasks()}
}

// CondStats describe a [Cond].
type CondStats struct {
	L       MutexStats // of its mutex, if it has one
	Waiting int        // tasks that wait for a signal
}

// Stats describes the condition and its mutex.
func (c *Cond) Stats() CondStats {
	c.home.OnLoop("Cond.Stats")
	s := CondStats{Waiting: c.waiters.Tasks()}
	if c.L != nil {
		s.L = c.L.Stats()
	}
	return s
}

// BarrierStats describe a [Barrier].
type BarrierStats struct {
	Parties int // tasks that it waits for
	Waiting int // of them, those that have come
	Broken  bool
}

// Stats describes the barrier.
func (b *Barrier) Stats() BarrierStats {
	b.home.OnLoop("Barrier.Stats")
	return BarrierStats{b.parties, b.waiters.Tasks(), b.broken}
}

// FutureStats describe a [Future].
type FutureStats struct {
	Finished bool
	Waiting  int // tasks in Await
}

// Stats describes the future.
func (f *Future[T]) Stats() FutureStats {
	f.home.OnLoop("Future.Stats")
	return FutureStats{f.done, f.waiters.Tasks()}
}

// WatchStats describe a [Watch].
type WatchStats struct {
	Version uint64
	Closed  bool
	Waiting int // tasks that wait for a change
}

// Stats describes the watch.
func (v *Watch[T]) Stats() WatchStats {
	v.home.OnLoop("Watch.Stats")
	return WatchStats{v.version, v.closed, v.waiters.Tasks()}
}

// QueueStats describe a [Queue], a [LifoQueue] or a [PriorityQueue].
type QueueStats struct {
	Len        int // items
	Max        int // as it is set
	Unfinished int // items that were put and not yet marked by TaskDone
	Closed     bool
	Putting    int // tasks that wait in Put
	Getting    int // tasks that wait in Get
	Joining    int // tasks that wait in Join
}

// Stats describes the queue.
func (q *Queue[T]) Stats() QueueStats { return q.stats(&q.fifo, q.Max) }

// Stats describes the queue.
func (q *LifoQueue[T]) Stats() QueueStats { return q.stats(&q.lifo, q.Max) }

// Stats describes the queue.
func (q *PriorityQueue[T]) Stats() QueueStats { return q.stats(&q.heap, q.Max) }

func (q *queue[T]) stats(in items[T], max int) QueueStats {
	q.home.OnLoop("Queue.Stats")
	return QueueStats{
		Len: in.len(), Max: max, Unfinished: q.unfinished, Closed: q.closed,
		Putting: q.putters.Tasks() + q.offering(), Getting: q.getters.Tasks(), Joining: q.joiners.Tasks(),
	}
}

// TickerStats describe a [Ticker].
type TickerStats struct {
	Interval time.Duration
	Next     time.Duration // the loop's time of the next tick
	Stopped  bool
	Waiting  int // tasks in Next
}

// Stats describes the ticker.
func (t *Ticker) Stats() TickerStats {
	t.loop.OnLoop("Ticker.Stats")
	return TickerStats{time.Duration(t.every), time.Duration(t.due), t.stopped, t.waiters.Tasks()}
}

// GroupStats describe a [TaskGroup].
type GroupStats struct {
	Tasks    int  // not ended, without services
	Held     int  // of them, those that SetLimit keeps from starting
	Limit    int  // of SetLimit; 0: none
	Services int  // not ended
	Failed   int  // tasks that have failed
	Canceled bool // by Cancel, a failure, or from outside
	Waiting  bool // Group waits for the tasks: its function has returned
}

// Stats describes the group.
func (g *TaskGroup) Stats() GroupStats {
	g.scope.Loop().OnLoop("TaskGroup.Stats")
	return GroupStats{
		Tasks: g.n, Held: g.held.len(), Limit: g.limit, Services: g.services.n,
		Failed: len(g.failed), Canceled: g.scope.Canceled(), Waiting: !g.wait.Empty(),
	}
}

// TaskStats describe a [Task].
type TaskStats struct {
	Finished bool
	Waiting  int // tasks that wait for its end in Wait or Await
}

// Stats describes the task. What it waits for itself is said by [Dump].
func (t *anyTask) Stats() TaskStats {
	r := t.record()
	r.Loop().OnLoopOrOver("Task.Stats")
	return TaskStats{r.Over(), r.Waiters().Tasks()}
}

// name returns the name of the task that holds a lock; "" if none does.
func (h *holder) name() string {
	var d core.Wait
	h.describe("", &d)
	if len(d.Tasks) == 0 {
		return ""
	}
	return d.Tasks[0].String()
}
