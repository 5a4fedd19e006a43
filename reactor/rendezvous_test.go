package reactor

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A meeting is a rendezvous queue with a model of its users' results: the
// waiting ones, in order, and all results, by number.
type meeting struct {
	queue interface {
		Put(context.Context, int) error
		TryPut(int) error
		Get(context.Context) (int, error)
		TryGet() (int, error)
		Close()
		Len() int
	}
	tasks   []*Task[int] // by user
	putters []int
	getters []int
	want    map[int]string
	closed  bool
}

func newMeeting(kind int) *meeting {
	m := &meeting{want: make(map[int]string)}
	switch kind {
	case 0:
		m.queue = &Queue[int]{Max: Rendezvous}
	case 1:
		m.queue = &LifoQueue[int]{Max: Rendezvous}
	default:
		m.queue = &PriorityQueue[int]{Max: Rendezvous, Less: func(a, b int) bool { return a > b }}
	}
	return m
}

func pop(s *[]int) int {
	first := (*s)[0]
	*s = (*s)[1:]
	return first
}

// meetingActs are what can happen. Items are the numbers of those who put them.
var meetingActs = []struct {
	name string
	do   func(t *testing.T, m *meeting, ctx context.Context)
}{
	{"put", func(t *testing.T, m *meeting, ctx context.Context) {
		i := len(m.tasks)
		m.tasks = append(m.tasks, AsyncNow(ctx, func(ctx context.Context) (int, error) { return 0, m.queue.Put(ctx, i) }))
		switch {
		case m.closed:
			m.want[i] = "closed"
		case len(m.getters) > 0:
			m.want[i], m.want[pop(&m.getters)] = "0", fmt.Sprint(i)
		default:
			m.putters = append(m.putters, i)
		}
	}},
	{"get", func(t *testing.T, m *meeting, ctx context.Context) {
		i := len(m.tasks)
		m.tasks = append(m.tasks, AsyncNow(ctx, m.queue.Get))
		switch {
		case len(m.putters) > 0:
			p := pop(&m.putters)
			m.want[i], m.want[p] = fmt.Sprint(p), "0"
		case m.closed:
			m.want[i] = "closed"
		default:
			m.getters = append(m.getters, i)
		}
	}},
	{"tryput", func(t *testing.T, m *meeting, ctx context.Context) {
		want := ErrFull
		switch {
		case m.closed:
			want = ErrClosed
		case len(m.getters) > 0:
			want = nil
			m.want[pop(&m.getters)] = "99"
		}
		if err := m.queue.TryPut(99); err != want {
			t.Errorf("TryPut: %v, want %v", err, want)
		}
	}},
	{"tryget", func(t *testing.T, m *meeting, ctx context.Context) {
		item, want := 0, ErrEmpty
		switch {
		case len(m.putters) > 0:
			item, want = pop(&m.putters), nil
			m.want[item] = "0"
		case m.closed:
			want = ErrClosed
		}
		if v, err := m.queue.TryGet(); v != item || err != want {
			t.Errorf("TryGet: %d, %v, want %d, %v", v, err, item, want)
		}
	}},
	{"cancelput", func(t *testing.T, m *meeting, ctx context.Context) {
		if len(m.putters) > 0 {
			i := pop(&m.putters)
			m.tasks[i].Cancel(errBoom)
			m.want[i] = "cancel"
		}
	}},
	{"cancelget", func(t *testing.T, m *meeting, ctx context.Context) {
		if n := len(m.getters); n > 0 {
			i := m.getters[n-1]
			m.getters = m.getters[:n-1]
			m.tasks[i].Cancel(errBoom)
			m.want[i] = "cancel"
		}
	}},
	{"close", func(t *testing.T, m *meeting, ctx context.Context) {
		m.queue.Close()
		m.closed = true
		for _, i := range slices.Concat(m.putters, m.getters) {
			m.want[i] = "closed"
		}
		m.putters, m.getters = nil, nil
	}},
}

// Every sequence of five acts within one turn, and of four that have a turn each: all
// get what the model says, at once.
func TestRendezvousInEveryOrder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for kind := range 3 {
			for _, turns := range []int{0, 2} {
				length := 5
				if kind > 0 || turns > 0 {
					length = 4
				}
				sequences(len(meetingActs), length, func(seq []int) {
					m := newMeeting(kind)
					for _, a := range seq {
						meetingActs[a].do(t, m, ctx)
						yields(ctx, turns)
					}
					yields(ctx, 2)
					if m.queue.Len() != 0 {
						t.Errorf("%v: %d items", seq, m.queue.Len())
					}
					for i, task := range m.tasks {
						got := "waits"
						if task.Finished() {
							v, err := task.Result()
							got = verdict(fmt.Sprint(v), err)
						}
						if want, ended := m.want[i]; ended && got != want || !ended && got != "waits" {
							var names []string
							for _, a := range seq {
								names = append(names, meetingActs[a].name)
							}
							t.Fatalf("kind %d, %v, %d turns apart: user %d got %s, want %q", kind, names, turns, i, got, want)
						}
						task.Cancel(nil)
					}
					yields(ctx, 2)
				})
			}
		}
		return nil
	})
}

// sequences calls f with every sequence of n of the numbers below k.
func sequences(k, n int, f func(seq []int)) {
	seq := make([]int, n)
	for {
		f(seq)
		i := 0
		for ; i < n && seq[i] == k-1; i++ {
			seq[i] = 0
		}
		if i == n {
			return
		}
		seq[i]++
	}
}

// Join counts taken items, and an offer that is cut off at the loop's end is
// gone.
func TestRendezvousJoin(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := Queue[int]{Max: Rendezvous}
		put := GoNow(ctx, func(ctx context.Context) error { return q.Put(ctx, 7) })
		if err := q.Join(ctx); err != nil { // not put yet
			t.Error(err)
		}
		if v, err := q.Get(ctx); v != 7 || err != nil {
			t.Error(v, err)
		}
		joined := GoNow(ctx, q.Join)
		yields(ctx, 3)
		if !put.Finished() || joined.Finished() {
			t.Error("put", put.Finished(), "joined", joined.Finished())
		}
		q.TaskDone()
		return joined.Wait(ctx)
	})
	q := Queue[int]{Max: Rendezvous}
	setup{Options: Options{Grace: time.Second, OnError: func(Report) {}}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		GoNow(ctx, func(ctx context.Context) error { return q.Put(context.WithoutCancel(ctx), 7) })
		return nil
	})
	if !q.offers.Empty() {
		t.Error("the offer of a task that was cut off is left")
	}
}
