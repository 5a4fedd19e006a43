package core

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestWaitListAgainstASlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	l := &Loop{}
	var q WaitList
	var model []*Waiter
	for i := range 5000 {
		switch n := rng.IntN(10); {
		case n < 5 || len(model) == 0:
			x := &Waiter{Hook: &Callback{loop: l, fn: func() {}}}
			q.Push(x)
			model = append(model, x)
		case n < 8:
			x := model[rng.IntN(len(model))]
			q.remove(x)
			if x.list != nil || x.next != nil || x.prev != nil {
				t.Fatalf("step %d: removed, but still linked", i)
			}
			model = slices.DeleteFunc(model, func(y *Waiter) bool { return x == y })
		default:
			before := l.ready.n
			if !q.WakeFirst(WokenDone) || l.ready.n != before+1 {
				t.Fatalf("step %d: nobody woken", i)
			}
			last := l.ready.buf[(l.ready.head+l.ready.n-1)&(len(l.ready.buf)-1)]
			if last != Job(model[0].Hook.(*Callback)) {
				t.Fatalf("step %d: woke another than the longest-waiting", i)
			}
			model = model[1:]
		}
		if msg := q.Check(); msg != "" {
			t.Fatalf("step %d: %s", i, msg)
		}
		if q.Empty() != (len(model) == 0) {
			t.Fatalf("step %d: empty is wrong", i)
		}
	}
	before := l.ready.n
	q.WakeAll(WokenDone)
	if !q.Empty() || l.ready.n != before+len(model) {
		t.Error("wakeAll left somebody")
	}
	if q.WakeFirst(WokenDone) {
		t.Error("woke somebody in an empty list")
	}
}

func TestWaitListCheckSeesWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(a, b *Waiter){
		"link":         func(a, b *Waiter) { b.prev = b },
		"other list":   func(a, b *Waiter) { a.list = new(WaitList) },
		"nobody":       func(a, b *Waiter) { a.Hook = nil },
		"two":          func(a, b *Waiter) { a.w = &Worker{state: parked} },
		"not parked":   func(a, b *Waiter) { a.Hook, a.w = nil, &Worker{state: ready} },
		"no backlinks": func(a, b *Waiter) { a.next = a },
	} {
		var q WaitList
		a, b, c := &Waiter{Hook: &Callback{}}, &Waiter{Hook: &Callback{}}, &Waiter{Hook: &Callback{}}
		for _, x := range []*Waiter{a, b, c} {
			q.Push(x)
		}
		if msg := q.Check(); msg != "" {
			t.Fatal(msg)
		}
		spoil(a, b)
		if q.Check() == "" {
			t.Errorf("%s: not noticed", name)
		}
	}
}
