package reactor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestWaitListAgainstASlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	l := &loop{}
	var q waitList
	var model []*waiter
	for i := range 5000 {
		switch n := rng.IntN(10); {
		case n < 5 || len(model) == 0:
			x := &waiter{Hook: &callback{loop: l, fn: func() {}}}
			q.push(x)
			model = append(model, x)
		case n < 8:
			x := model[rng.IntN(len(model))]
			q.remove(x)
			if x.list != nil || x.next != nil || x.prev != nil {
				t.Fatalf("step %d: removed, but still linked", i)
			}
			model = slices.DeleteFunc(model, func(y *waiter) bool { return x == y })
		default:
			before := l.ready.n
			if !q.wakeFirst(wokenDone) || l.ready.n != before+1 {
				t.Fatalf("step %d: nobody woken", i)
			}
			last := l.ready.buf[(l.ready.head+l.ready.n-1)&(len(l.ready.buf)-1)]
			if last != runnable(model[0].Hook.(*callback)) {
				t.Fatalf("step %d: woke another than the longest-waiting", i)
			}
			model = model[1:]
		}
		if msg := q.check(); msg != "" {
			t.Fatalf("step %d: %s", i, msg)
		}
		if q.empty() != (len(model) == 0) {
			t.Fatalf("step %d: empty is wrong", i)
		}
	}
	before := l.ready.n
	q.wakeAll(wokenDone)
	if !q.empty() || l.ready.n != before+len(model) {
		t.Error("wakeAll left somebody")
	}
	if q.wakeFirst(wokenDone) {
		t.Error("woke somebody in an empty list")
	}
}

func TestWaitListCheckSeesWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(a, b *waiter){
		"link":         func(a, b *waiter) { b.prev = b },
		"other list":   func(a, b *waiter) { a.list = new(waitList) },
		"nobody":       func(a, b *waiter) { a.Hook = nil },
		"two":          func(a, b *waiter) { a.w = &worker{state: parked} },
		"not parked":   func(a, b *waiter) { a.Hook, a.w = nil, &worker{state: ready} },
		"no backlinks": func(a, b *waiter) { a.next = a },
	} {
		var q waitList
		a, b, c := &waiter{Hook: &callback{}}, &waiter{Hook: &callback{}}, &waiter{Hook: &callback{}}
		for _, x := range []*waiter{a, b, c} {
			q.push(x)
		}
		if msg := q.check(); msg != "" {
			t.Fatal(msg)
		}
		spoil(a, b)
		if q.check() == "" {
			t.Errorf("%s: not noticed", name)
		}
	}
}
