package reactor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/eddyio/eddy/reactor/core"
)

// A testQueue is any of the three queues, of ints.
type testQueue interface {
	Put(ctx context.Context, item int) error
	TryPut(item int) error
	Get(ctx context.Context) (int, error)
	TryGet() (int, error)
	Len() int
	TaskDone()
	Join(ctx context.Context) error
	Close()
	checkQueue() string
}

func (q *Queue[T]) checkQueue() string         { return q.check(&q.fifo, q.Max) }
func (q *LifoQueue[T]) checkQueue() string     { return q.check(&q.lifo, q.Max) }
func (q *PriorityQueue[T]) checkQueue() string { return q.check(&q.heap, q.Max) }

// check returns which invariant of the queue does not hold, if one does not.
func (q *queue[T]) check(in items[T], max int) string {
	for _, l := range []*core.WaitList{&q.getters, &q.putters, &q.joiners} {
		if msg := l.Check(); msg != "" {
			return msg
		}
	}
	switch {
	case !q.getters.Empty() && in.len() > 0:
		return "queue: somebody waits for an item, and there is one"
	case !q.putters.Empty() && !q.full(in, max):
		return "queue: somebody waits for room, and there is some"
	case q.promised < 0 || max > 0 && in.len()+q.promised > max:
		return fmt.Sprintf("queue: %d items and %d promised, of %d", in.len(), q.promised, max)
	case q.closed && !(q.getters.Empty() && q.putters.Empty()):
		return "queue: somebody waits at a closed queue"
	case q.unfinished == 0 && !q.joiners.Empty():
		return "queue: somebody waits for work that is done"
	}
	if h, ok := in.(*stableHeap[T]); ok {
		return h.check()
	}
	return ""
}

func (h *stableHeap[T]) check() string {
	for i := 1; i < len(h.entries); i++ {
		if h.before(&h.entries[i], &h.entries[(i-1)/2]) {
			return fmt.Sprintf("heap: entry %d comes before its parent", i)
		}
	}
	return ""
}

type queueKind int

const (
	fifo queueKind = iota
	lifo
	least
)

func (k queueKind) String() string { return [...]string{"Queue", "LifoQueue", "PriorityQueue"}[k] }

var queueKinds = []queueKind{fifo, lifo, least}

func newTestQueue(k queueKind, max int) testQueue {
	switch k {
	case lifo:
		return &LifoQueue[int]{Max: max}
	case least:
		return &PriorityQueue[int]{Max: max, Less: func(a, b int) bool { return a < b }}
	}
	return &Queue[int]{Max: max}
}

// take is how a queue of that kind takes an item from a slice of items in the
// order in which they were put.
func (k queueKind) take(items *[]int) int {
	at := 0
	switch k {
	case lifo:
		at = len(*items) - 1
	case least:
		at = slices.Index(*items, slices.Min(*items))
	}
	item := (*items)[at]
	*items = slices.Delete(*items, at, at+1)
	return item
}

// drain takes all items of q, and reports whether they are those, in their order.
func (k queueKind) drain(q testQueue, items []int) string {
	if q.Len() != len(items) {
		return fmt.Sprintf("%d items are left, want %d", q.Len(), len(items))
	}
	for len(items) > 0 {
		want := k.take(&items)
		if got, err := q.TryGet(); got != want || err != nil {
			return fmt.Sprintf("left is %d, %v, want %d", got, err, want)
		}
	}
	return ""
}

// Tasks wait for items while items are put, and in the end perhaps a Close
// comes: each item goes to one task, in order, or stays.
func TestQueueGettersInEveryOrder(t *testing.T) {
	for _, kind := range queueKinds {
		for _, closeAt := range []int{0, 1, 2, 3} {
			t.Run(fmt.Sprintf("%v closed at %d", kind, closeAt), func(t *testing.T) {
				enumerate(t, func(context.Context, int) contest { return getters(kind, closeAt) })
			})
		}
	}
}

func getters(kind queueKind, closeAt int) contest {
	q := newTestQueue(kind, 0)
	var left []int
	acts, closed, bad := 0, false, ""
	return contest{
		wait: func(ctx context.Context, i int) (string, error) {
			item, err := q.Get(ctx)
			return fmt.Sprint(item), err
		},
		wake: func(queue []int) []outcome {
			if acts++; acts == closeAt {
				closed = true
				q.Close()
				return everyone(queue, text("closed"))
			}
			item := 10 - acts
			switch err := q.TryPut(item); {
			case closed:
				if err != ErrClosed {
					bad = fmt.Sprintf("put into a closed queue: %v", err)
				}
				return nil
			case err != nil:
				bad = err.Error()
			case len(queue) == 0:
				left = append(left, item)
				return nil
			}
			return []outcome{{who: queue[0], what: text(fmt.Sprint(item))}}
		},
		check: q.checkQueue,
		done: func(ctx context.Context) string {
			if msg := kind.drain(q, left); bad+msg != "" {
				return bad + msg
			}
			_, err := q.TryGet()
			if want := map[bool]error{false: ErrEmpty, true: ErrClosed}[closed]; err != want {
				return fmt.Sprintf("an empty queue returned %v", err)
			}
			return usable(ctx, q, closed)
		},
	}
}

func usable(ctx context.Context, q testQueue, closed bool) string {
	if closed {
		if err := q.Put(ctx, 1); err != ErrClosed {
			return fmt.Sprintf("Put returned %v", err)
		}
		return ""
	}
	if err := q.Put(ctx, 1); err != nil {
		return err.Error()
	}
	if item, err := q.Get(ctx); item != 1 || err != nil {
		return fmt.Sprintf("got %d, %v", item, err)
	}
	return ""
}

// Tasks wait for room while items are taken, and in the end perhaps a Close
// comes: each successful Put has put its item, once, and in order.
func TestQueuePuttersInEveryOrder(t *testing.T) {
	for _, kind := range queueKinds {
		for _, max := range []int{1, 3} {
			for _, closeAt := range []int{0, 2} {
				t.Run(fmt.Sprintf("%v of %d closed at %d", kind, max, closeAt), func(t *testing.T) {
					enumerate(t, func(context.Context, int) contest { return putters(kind, max, closeAt) })
				})
			}
		}
	}
}

func putters(kind queueKind, max, closeAt int) contest {
	q := newTestQueue(kind, max)
	var stored []int
	for i := range max {
		q.TryPut(5 + i)
		stored = append(stored, 5+i)
	}
	acts, closed, bad := 0, false, ""
	return contest{
		wait: func(ctx context.Context, i int) (string, error) { return "", q.Put(ctx, i) },
		wake: func(queue []int) []outcome {
			if acts++; acts == closeAt {
				closed = true
				q.Close()
				return everyone(queue, text("closed"))
			}
			item, err := q.TryGet()
			if len(stored) == 0 {
				if err == nil {
					bad = fmt.Sprintf("took %d from an empty queue", item)
				}
				return nil
			}
			if want := kind.take(&stored); item != want || err != nil {
				bad = fmt.Sprintf("took %d, %v, want %d", item, err, want)
			}
			if len(queue) == 0 {
				return nil
			}
			return []outcome{{who: queue[0], what: func() string { return map[bool]string{true: "closed"}[closed] }}}
		},
		ran: func(i int, ok bool, _ []int) []outcome {
			if ok && !closed {
				stored = append(stored, i)
			}
			return nil
		},
		check: q.checkQueue,
		done: func(ctx context.Context) string {
			if msg := kind.drain(q, stored); bad+msg != "" {
				return bad + msg
			}
			return usable(ctx, q, closed)
		},
	}
}

func TestQueueJoinInEveryOrder(t *testing.T) {
	enumerate(t, func(context.Context, int) contest {
		var q Queue[int]
		q.TryPut(1)
		q.TryPut(2)
		left := 2
		return contest{
			wait: func(ctx context.Context, i int) (string, error) { return "", q.Join(ctx) },
			wake: func(queue []int) []outcome {
				if left == 0 {
					return nil
				}
				q.TaskDone()
				if left--; left > 0 {
					return nil
				}
				return everyone(queue, nil)
			},
			check: q.checkQueue,
			done: func(ctx context.Context) string {
				for ; left > 0; left-- {
					q.TaskDone()
				}
				if err := q.Join(ctx); err != nil {
					return err.Error()
				}
				return ""
			},
		}
	})
}

func TestQueueBounds(t *testing.T) {
	for _, kind := range queueKinds {
		run(t, func(ctx context.Context) error {
			q := newTestQueue(kind, 2)
			if _, err := q.TryGet(); err != ErrEmpty {
				t.Errorf("%v: TryGet returned %v", kind, err)
			}
			q.Put(ctx, 1)
			q.TryPut(2)
			if err := q.TryPut(3); err != ErrFull || q.Len() != 2 {
				t.Errorf("%v: TryPut returned %v, %d items", kind, err, q.Len())
			}
			putter := GoNow(ctx, func(ctx context.Context) error { return q.Put(ctx, 3) })
			if putter.Finished() {
				t.Errorf("%v: Put did not wait", kind)
			}
			q.TryGet()
			if err := q.TryPut(4); err != ErrFull {
				t.Errorf("%v: overtook a putter that was promised room: %v", kind, err)
			}
			if err := putter.Wait(ctx); err != nil || q.Len() != 2 {
				t.Errorf("%v: %v, %d items", kind, err, q.Len())
			}
			unbounded := newTestQueue(kind, 0)
			for i := range 1000 {
				if err := unbounded.Put(ctx, i); err != nil {
					t.Fatal(err)
				}
			}
			return nil
		})
	}
}

// asyncio's queue lets a third task take an item whose getter was woken; here
// an item that was given to a getter is gone.
func TestQueueHandsOver(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var q Queue[int]
		getter := AsyncNow(ctx, q.Get)
		q.TryPut(7)
		if _, err := q.TryGet(); err != ErrEmpty || q.Len() != 0 {
			t.Errorf("stolen: %v", err)
		}
		getter.Cancel(nil)
		if item, err := getter.Await(ctx); item != 7 || err != nil {
			t.Errorf("lost: %d, %v", item, err)
		}
		return nil
	})
}

// When a putter that was promised room finds a getter, which takes the item at
// once, the room goes to the next putter.
func TestQueueRoomIsPassedOn(t *testing.T) {
	for _, kind := range queueKinds {
		run(t, func(ctx context.Context) error {
			q := newTestQueue(kind, 1)
			q.TryPut(1)
			put := func(item int) { GoNow(ctx, func(ctx context.Context) error { return q.Put(ctx, item) }) }
			put(2)
			put(3)
			q.TryGet()
			getter := AsyncNow(ctx, q.Get)
			if item, err := getter.Await(ctx); item != 2 || err != nil {
				t.Errorf("%v: got %d, %v", kind, item, err)
			}
			if item, err := q.Get(ctx); item != 3 || err != nil {
				t.Errorf("%v: got %d, %v", kind, item, err)
			}
			return nil
		})
	}
}

func TestQueueJoin(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var q Queue[int]
		wantPanic(t, "TaskDone", q.TaskDone)
		if err := q.Join(ctx); err != nil {
			t.Errorf("nothing to wait for, and %v", err)
		}
		getter := AsyncNow(ctx, q.Get) // what is handed over counts too
		q.TryPut(1)
		getter.Await(ctx)
		q.TryPut(2)
		joiner := GoNow(ctx, q.Join)
		if err := q.Join(doneCtx(ctx)); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		for range 2 {
			if yields(ctx, 2); joiner.Finished() {
				t.Error("Join returned too soon")
			}
			q.TaskDone()
		}
		wantPanic(t, "TaskDone", q.TaskDone)
		return joiner.Wait(ctx)
	})
}

func TestQueueClose(t *testing.T) {
	for _, kind := range queueKinds {
		run(t, func(ctx context.Context) error {
			q := newTestQueue(kind, 1)
			q.TryPut(1)
			putter := GoNow(ctx, func(ctx context.Context) error { return q.Put(ctx, 2) })
			if got := elsewhere(q.Close); got == "" {
				t.Error("another goroutine closed a queue that a task waits for")
			}
			q.Close()
			q.Close()
			if err := putter.Wait(ctx); err != ErrClosed {
				t.Errorf("%v: the putter got %v", kind, err)
			}
			if q.TryPut(3) != ErrClosed || q.Put(ctx, 3) != ErrClosed {
				t.Errorf("%v: put into a closed queue", kind)
			}
			if item, err := q.Get(ctx); item != 1 || err != nil {
				t.Errorf("%v: what was in it is gone: %d, %v", kind, item, err)
			}
			if _, err := q.Get(ctx); err != ErrClosed {
				t.Errorf("%v: closed and empty, Get returned %v", kind, err)
			}
			if _, err := q.TryGet(); err != ErrClosed {
				t.Errorf("%v: closed and empty, TryGet returned %v", kind, err)
			}
			return nil
		})
	}
}

func TestQueueUnderADoneCtx(t *testing.T) {
	for _, kind := range queueKinds {
		run(t, func(ctx context.Context) error {
			q := newTestQueue(kind, 0)
			if err := q.Put(doneCtx(ctx), 1); !errors.Is(err, errBoom) || q.Len() != 0 {
				t.Errorf("%v: Put returned %v, %d items", kind, err, q.Len())
			}
			q.TryPut(1)
			if _, err := q.Get(doneCtx(ctx)); !errors.Is(err, errBoom) || q.Len() != 1 {
				t.Errorf("%v: Get returned %v, %d items", kind, err, q.Len())
			}
			return nil
		})
	}
}

// All leaves the rest in the queue on break, and ends with the Close or ctx.
func TestQueueAll(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f, l, p := &Queue[int]{}, &LifoQueue[int]{}, &PriorityQueue[int]{Less: func(a, b int) bool { return a < b }}
		for i, c := range []struct {
			testQueue
			want []int
		}{{f, []int{2, 1, 3}}, {l, []int{3, 1, 2}}, {p, []int{1, 2, 3}}} {
			for _, item := range []int{2, 1, 3} {
				c.TryPut(item)
			}
			var got []int
			all := []func(context.Context) func(func(int) bool){
				func(ctx context.Context) func(func(int) bool) { return f.All(ctx) },
				func(ctx context.Context) func(func(int) bool) { return l.All(ctx) },
				func(ctx context.Context) func(func(int) bool) { return p.All(ctx) },
			}[i]
			for item := range all(ctx) {
				if got = append(got, item); len(got) == 2 {
					break
				}
			}
			if c.Len() != 1 {
				t.Errorf("break left %d", c.Len())
			}
			for range all(doneCtx(ctx)) {
				t.Error("an item under a done ctx")
			}
			ranging := GoNow(ctx, func(ctx context.Context) error {
				for item := range all(ctx) {
					got = append(got, item)
				}
				return nil
			})
			c.Close()
			if ranging.Wait(ctx); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		}
		return nil
	})
}

// Of equal items the oldest comes first.
func TestPriorityQueueIsStable(t *testing.T) {
	type item struct{ priority, n int }
	q := PriorityQueue[item]{Less: func(a, b item) bool { return a.priority < b.priority }}
	var want []item
	for n := range 200 {
		x := item{n * 7 % 5, n}
		q.TryPut(x)
		want = append(want, x)
	}
	slices.SortStableFunc(want, func(a, b item) int { return a.priority - b.priority })
	for _, x := range want {
		if got, err := q.TryGet(); got != x || err != nil {
			t.Fatalf("got %v, %v, want %v", got, err, x)
		}
	}
	var bad PriorityQueue[int]
	wantPanic(t, "Less", func() { bad.TryPut(1) })
	wantPanic(t, "Less", func() { bad.TryGet() })
}

// The queue does not keep taken items alive.
func TestQueueForgetsWhatWasTaken(t *testing.T) {
	var f Queue[*int]
	var l LifoQueue[*int]
	p := PriorityQueue[*int]{Less: func(a, b *int) bool { return *a < *b }}
	for i := range 20 {
		f.TryPut(&i)
		l.TryPut(&i)
		p.TryPut(&i)
	}
	for range 20 {
		f.TryGet()
		l.TryGet()
		p.TryGet()
	}
	for _, x := range f.fifo.buf {
		if x != nil {
			t.Fatal("kept by the ring")
		}
	}
	for _, x := range l.lifo.buf[:20] {
		if x != nil {
			t.Fatal("kept by the stack")
		}
	}
	for _, x := range p.heap.entries[:20] {
		if x.item != nil {
			t.Fatal("kept by the heap")
		}
	}
}

func TestQueueAllocatesNothingInSteadyState(t *testing.T) {
	q, l := Queue[int]{Max: 4}, LifoQueue[int]{}
	p := PriorityQueue[int]{Less: func(a, b int) bool { return a < b }}
	allocsPerRun(t, 0, func(ctx context.Context) {
		for i := range 3 {
			q.Put(ctx, i)
			l.Put(ctx, i)
			p.Put(ctx, i)
		}
		for range 3 {
			q.Get(ctx)
			l.Get(ctx)
			p.Get(ctx)
		}
	})
	// The same with a consumer that waits for each item.
	run(t, func(ctx context.Context) error {
		consumer := GoNow(ctx, func(ctx context.Context) error {
			for range q.All(ctx) {
			}
			return nil
		})
		if n := testing.AllocsPerRun(100, func() { q.Put(ctx, 1); Yield(ctx) }); n > 0 {
			t.Errorf("handing over: %v allocations", n)
		}
		q.Close()
		return consumer.Wait(ctx)
	})
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 0, 1, 2, 2, 3, 4, 5, 6})
	f.Add([]byte{9, 0, 0, 0, 0x11, 0x21, 7, 1, 1, 3, 0x13, 5, 2, 2, 6})
	f.Add([]byte{5, 1, 1, 1, 0, 0, 5, 0x14, 0, 6, 1, 0})
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) <= 200 {
			playQueue(t, program)
		}
	})
}

func TestQueueAgainstSlices(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		program := make([]byte, rng.IntN(80))
		for i := range program {
			program[i] = byte(rng.Uint32())
		}
		if playQueue(t, program); t.Failed() {
			t.Fatalf("program %v", program)
		}
	}
}

// playQueue runs a program of queue operations, a byte each, after one that
// says what kind of queue.
func playQueue(t *testing.T, program []byte) {
	if len(program) == 0 {
		return
	}
	kind, max := queueKinds[int(program[0])%3], int(program[0])/3%4
	run(t, func(ctx context.Context) error {
		m := queueModel{t: t, kind: kind, max: max, q: newTestQueue(kind, max)}
		for i, b := range program[1:] {
			m.step(ctx, b&7, int(b>>3))
			if msg := m.q.checkQueue(); msg != "" {
				t.Fatalf("step %d: %s", i, msg)
			}
			if m.q.Len() != len(m.items) {
				t.Fatalf("step %d: %d items, want %d", i, m.q.Len(), len(m.items))
			}
		}
		m.step(ctx, 6, 0)
		yields(ctx, 3)
		m.runPromised()
		m.compare(true)
		return nil
	})
}

// A queueModel is a queue with a model in slices.
type queueModel struct {
	t        *testing.T
	kind     queueKind
	max      int
	q        testQueue
	items    []int
	getters  []int // tasks that wait, by number
	putters  []int
	promised []int // putters that have been woken, and have not run
	closed   bool
	tasks    []*Task[struct{}]
	item     []int    // what the task puts
	got      []string // what the tasks got
	want     []string
}

func (m *queueModel) step(ctx context.Context, op byte, arg int) {
	switch op {
	case 0:
		m.put(ctx, arg)
	case 1:
		m.get(ctx)
	case 2:
		m.tryPut(arg)
	case 3:
		m.tryGet()
	case 4:
		m.cancel(arg)
	case 5:
		Yield(ctx)
		m.runPromised()
		m.compare(false)
	case 6:
		m.q.Close()
		m.closed = true
		for _, i := range append(m.getters, m.putters...) {
			m.want[i] = "closed"
		}
		m.getters, m.putters = nil, nil
	}
}

// task starts a task that records its results, and returns its number.
func (m *queueModel) task(ctx context.Context, item int, f func(ctx context.Context) (string, error)) int {
	i := len(m.tasks)
	m.got, m.want, m.item = append(m.got, ""), append(m.want, ""), append(m.item, item)
	m.tasks = append(m.tasks, GoNow(ctx, func(ctx context.Context) error {
		m.got[i] = verdict(f(ctx))
		return nil
	}))
	return i
}

func (m *queueModel) full() bool { return m.max > 0 && len(m.items)+len(m.promised) >= m.max }

func (m *queueModel) put(ctx context.Context, item int) {
	i := m.task(ctx, item, func(ctx context.Context) (string, error) { return "put", m.q.Put(ctx, item) })
	switch {
	case m.closed:
		m.want[i] = "closed"
	case m.full():
		m.putters = append(m.putters, i)
	default:
		m.add(item)
		m.want[i] = "put"
	}
}

func (m *queueModel) add(item int) {
	if len(m.getters) == 0 {
		m.items = append(m.items, item)
		return
	}
	m.want[m.getters[0]] = fmt.Sprint(item)
	m.getters = m.getters[1:]
}

func (m *queueModel) get(ctx context.Context) {
	i := m.task(ctx, 0, func(ctx context.Context) (string, error) {
		item, err := m.q.Get(ctx)
		return fmt.Sprint(item), err
	})
	switch {
	case len(m.items) > 0:
		m.want[i] = fmt.Sprint(m.take())
	case m.closed:
		m.want[i] = "closed"
	default:
		m.getters = append(m.getters, i)
	}
}

func (m *queueModel) take() int {
	item := m.kind.take(&m.items)
	m.promise()
	return item
}

func (m *queueModel) promise() {
	if len(m.putters) > 0 {
		m.promised = append(m.promised, m.putters[0])
		m.putters = m.putters[1:]
	}
}

func (m *queueModel) tryPut(item int) {
	var want error
	switch {
	case m.closed:
		want = ErrClosed
	case m.full():
		want = ErrFull
	default:
		m.add(item)
	}
	if err := m.q.TryPut(item); err != want {
		m.t.Fatalf("TryPut returned %v, want %v", err, want)
	}
}

func (m *queueModel) tryGet() {
	item, err := m.q.TryGet()
	switch {
	case len(m.items) > 0:
		if want := m.take(); item != want || err != nil {
			m.t.Fatalf("TryGet returned %d, %v, want %d", item, err, want)
		}
	case m.closed:
		if err != ErrClosed {
			m.t.Fatalf("TryGet returned %v, want ErrClosed", err)
		}
	case err != ErrEmpty:
		m.t.Fatalf("TryGet returned %v, want ErrEmpty", err)
	}
}

// cancel cancels a task, which makes a difference only while it waits.
func (m *queueModel) cancel(i int) {
	if len(m.tasks) == 0 {
		return
	}
	i %= len(m.tasks)
	m.tasks[i].Cancel(errBoom)
	for _, waiting := range []*[]int{&m.getters, &m.putters} {
		if at := slices.Index(*waiting, i); at >= 0 {
			*waiting = slices.Delete(*waiting, at, at+1)
			m.want[i] = "cancel"
		}
	}
}

func (m *queueModel) runPromised() {
	for n := len(m.promised); n > 0; n-- {
		i := m.promised[0]
		m.promised = m.promised[1:]
		if m.want[i] = "put"; m.closed {
			m.want[i] = "closed"
			continue
		}
		if m.add(m.item[i]); !m.full() {
			m.promise()
		}
	}
}

// compare compares what the tasks got, of those that have run unless it is the
// end: some were woken in this very turn.
func (m *queueModel) compare(end bool) {
	for i, want := range m.want {
		if m.got[i] == "" && !end {
			continue
		}
		if m.got[i] != want {
			m.t.Fatalf("task %d got %q, want %q", i, m.got[i], want)
		}
	}
}

// A panic in Less changes nothing: the item to put is not in the queue, the
// item to take still is, the heap is valid, and waiting tasks get the items
// that there are. Less panics at each of its calls in turn.
func TestPanickingLess(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, op := range []string{"TryPut", "Put", "TryGet", "Get"} {
			for at := range 12 {
				calls := -1 // until it panics; negative: never
				q := PriorityQueue[int]{Less: func(a, b int) bool {
					if calls--; calls == -1 {
						panic(errBoom)
					}
					return a < b
				}}
				for _, v := range []int{5, 3, 8, 1, 9, 7, 2, 6, 4} {
					q.TryPut(v)
				}
				calls = at
				got := 0
				panicked := panics(func() {
					switch op {
					case "TryPut":
						q.TryPut(0)
					case "Put":
						q.Put(ctx, 0)
					case "TryGet":
						got, _ = q.TryGet()
					case "Get":
						got, _ = q.Get(ctx)
					}
				}) != ""
				calls = -1
				want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
				switch put := strings.HasSuffix(op, "Put"); {
				case put && panicked, !put && panicked:
					want = want[1:]
				case !put && got != 1:
					t.Errorf("%s got %d", op, got)
				case !put:
					want = want[2:]
				}
				if msg := q.checkQueue(); msg != "" || q.unfinished != len(want)+btoi(!panicked && op[len(op)-3:] == "Get") {
					t.Errorf("%s, panic at call %d: %s, %d unfinished", op, at, msg, q.unfinished)
				}
				var left []int
				for q.Len() > 0 {
					v, _ := q.TryGet()
					left = append(left, v)
				}
				if !slices.Equal(left, want) {
					t.Errorf("%s, panic at call %d: left %v, want %v", op, at, left, want)
				}
			}
		}
		return nil
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The room that a putter was promised goes to the next one if the putter panics.
func TestPanickingLessGivesItsRoomBack(t *testing.T) {
	run(t, func(ctx context.Context) error {
		bad := true
		q := PriorityQueue[int]{Max: 2, Less: func(a, b int) bool {
			if a+b > 100 && bad {
				panic(errBoom)
			}
			return a < b
		}}
		q.TryPut(1)
		q.TryPut(2)
		first := Go(ctx, func(ctx context.Context) error {
			defer func() { recover() }()
			return q.Put(ctx, 100)
		})
		second := Go(ctx, func(ctx context.Context) error { return q.Put(ctx, 3) })
		yields(ctx, 2)
		q.TryGet()
		if err := errors.Join(first.Wait(ctx), second.Wait(ctx)); err != nil {
			return err
		}
		bad = false
		if q.Len() != 2 || q.checkQueue() != "" {
			t.Errorf("%d in it; %s", q.Len(), q.checkQueue())
		}
		return nil
	})
}
