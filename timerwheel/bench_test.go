package timerwheel

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// Each benchmark has sub-benchmarks named who/pending, all with the same
// structure: the wheel, container/heap with an index in each entry, and the
// runtime's timers. Pending timers are due between a minute and an hour from
// now, spread evenly. The wheel and the heap do not include reading the clock:
// their owner has read it already.

var sizes = []int{1_000, 100_000, 1_000_000}

// bySize runs f as sub-benchmarks who/size.
func bySize(b *testing.B, who string, f func(b *testing.B, pending int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("%s/%d", who, n), func(b *testing.B) {
			b.ReportAllocs()
			f(b, n)
		})
	}
}

// table is a power of two of precomputed distances in time, so that no random
// number is drawn inside a loop.
const table = 4096

func distances() []int64 {
	rng := rand.New(rand.NewPCG(1, 2))
	d := make([]int64, table)
	for i := range d {
		d[i] = int64(time.Minute) + rng.Int64N(int64(59*time.Minute))
	}
	return d
}

// shuffled returns a random order in which to reset timers, which is bad for
// caches.
func shuffled(n int) []int { return rand.New(rand.NewPCG(3, 4)).Perm(n) }

func wheelOf(n int) (*Wheel[int], []Timer[int]) {
	w, timers := new(Wheel[int]), make([]Timer[int], n)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range timers {
		w.Add(&timers[i], int64(time.Minute)+rng.Int64N(int64(59*time.Minute)))
	}
	return w, timers
}

// entries is a container/heap ordered by (when, seq), the wheel's order.
type entries []*item

type item struct {
	when, seq int64
	index     int
}

func (h entries) Len() int { return len(h) }
func (h entries) Less(i, j int) bool {
	return h[i].when < h[j].when || h[i].when == h[j].when && h[i].seq < h[j].seq
}
func (h entries) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *entries) Push(x any) {
	it := x.(*item)
	it.index = len(*h)
	*h = append(*h, it)
}
func (h *entries) Pop() any {
	old := *h
	it := old[len(old)-1]
	*h = old[:len(old)-1]
	return it
}

func heapOf(n int) (*entries, []item) {
	h, items := make(entries, 0, n+1024), make([]item, n)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range items {
		items[i].when = int64(time.Minute) + rng.Int64N(int64(59*time.Minute))
		items[i].seq = int64(i)
		heap.Push(&h, &items[i])
	}
	return &h, items
}

func runtimeOf(b *testing.B, n int) []*time.Timer {
	timers := make([]*time.Timer, n)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range timers {
		timers[i] = time.AfterFunc(time.Minute+time.Duration(rng.Int64N(int64(59*time.Minute))), func() {})
	}
	b.Cleanup(func() {
		for _, t := range timers {
			t.Stop()
		}
	})
	return timers
}

// A timeout that is cancelled.
func BenchmarkAddCancel(b *testing.B) {
	d := distances()
	bySize(b, "wheel", func(b *testing.B, pending int) {
		w, _ := wheelOf(pending)
		var t Timer[int]
		for i := 0; b.Loop(); i++ {
			w.Add(&t, d[i%table])
			w.Cancel(&t)
		}
	})
	bySize(b, "heap", func(b *testing.B, pending int) {
		h, _ := heapOf(pending)
		var it item
		for i := 0; b.Loop(); i++ {
			it.when = d[i%table]
			heap.Push(h, &it)
			heap.Remove(h, it.index)
		}
	})
	bySize(b, "runtime", func(b *testing.B, pending int) {
		runtimeOf(b, pending)
		for i := 0; b.Loop(); i++ {
			time.AfterFunc(time.Duration(d[i%table]), func() {}).Stop()
		}
	})
}

// An idle timeout that is reset at each message, on random connections.
func BenchmarkReset(b *testing.B) {
	d := distances()
	bySize(b, "wheel", func(b *testing.B, pending int) {
		w, timers := wheelOf(pending)
		order, k := shuffled(pending), 0
		for i := 0; b.Loop(); i++ {
			w.Reset(&timers[order[k]], d[i%table])
			if k++; k == pending {
				k = 0
			}
		}
	})
	bySize(b, "heap", func(b *testing.B, pending int) {
		h, items := heapOf(pending)
		order, k := shuffled(pending), 0
		for i := 0; b.Loop(); i++ {
			it := &items[order[k]]
			it.when = d[i%table]
			heap.Fix(h, it.index)
			if k++; k == pending {
				k = 0
			}
		}
	})
	bySize(b, "runtime", func(b *testing.B, pending int) {
		timers := runtimeOf(b, pending)
		order, k := shuffled(pending), 0
		for i := 0; b.Loop(); i++ {
			timers[order[k]].Reset(time.Duration(d[i%table]))
			if k++; k == pending {
				k = 0
			}
		}
	})
}

// One timer, reset again and again among the others.
func BenchmarkResetOne(b *testing.B) {
	d := distances()
	bySize(b, "wheel", func(b *testing.B, pending int) {
		w, timers := wheelOf(pending)
		for i := 0; b.Loop(); i++ {
			w.Reset(&timers[0], d[i%table])
		}
	})
	bySize(b, "runtime", func(b *testing.B, pending int) {
		timers := runtimeOf(b, pending)
		for i := 0; b.Loop(); i++ {
			timers[0].Reset(time.Duration(d[i%table]))
		}
	})
}

// batch is how many timers are added at a time, due within 100 µs, and then
// fired like in a loop, from one deadline to the next. The pending ones stay
// ahead for half a billion iterations.
const batch = 1024

// Short timers among long ones.
func BenchmarkAddFire(b *testing.B) {
	d := distances()
	for i := range d {
		d[i] %= int64(100 * time.Microsecond)
	}
	bySize(b, "wheel", func(b *testing.B, pending int) {
		w, _ := wheelOf(pending)
		timers := make([]Timer[int], batch)
		now := int64(0)
		for i := 0; b.Loop(); i++ {
			w.Add(&timers[i%batch], now+d[i%table])
			if i%batch == batch-1 {
				for fired := 0; fired < batch; {
					if w.Pop(now) == nil {
						now, _ = w.Next()
					} else {
						fired++
					}
				}
			}
		}
	})
	bySize(b, "heap", func(b *testing.B, pending int) {
		h, _ := heapOf(pending)
		items := make([]item, batch)
		for i := 0; b.Loop(); i++ {
			it := &items[i%batch]
			it.when, it.seq = d[i%table], int64(i)
			heap.Push(h, it)
			if i%batch == batch-1 {
				for range items {
					heap.Pop(h)
				}
			}
		}
	})
	bySize(b, "runtime", func(b *testing.B, pending int) {
		runtimeOf(b, pending)
		var fired sync.WaitGroup
		for i := 0; b.Loop(); i++ {
			fired.Add(1)
			time.AfterFunc(0, fired.Done) // due at once: no waiting is measured
			if i%batch == batch-1 {
				fired.Wait()
			}
		}
	})
}

// The hold model (Jones, "An empirical comparison of priority-queue and
// event-set implementations", CACM 1986): fire the earliest, add it again at a
// random distance. Every timer goes down through all of its levels.
func BenchmarkHold(b *testing.B) {
	d := distances()
	bySize(b, "wheel", func(b *testing.B, pending int) {
		w, _ := wheelOf(pending)
		for i := 0; b.Loop(); i++ {
			t := w.Pop(1 << 62)
			w.Add(t, t.When()+d[i%table])
		}
	})
	bySize(b, "heap", func(b *testing.B, pending int) {
		h, _ := heapOf(pending)
		for i := 0; b.Loop(); i++ {
			it := (*h)[0]
			it.when += d[i%table]
			heap.Fix(h, 0)
		}
	})
}

// The cost of a loop's turn in which nothing is due.
func BenchmarkIdleTurn(b *testing.B) {
	bySize(b, "wheel", func(b *testing.B, pending int) {
		w, _ := wheelOf(pending)
		now := int64(0)
		for b.Loop() {
			w.Pop(now)
			w.Next()
			now ^= 1
		}
	})
}

// Next with its hint, and without.
func BenchmarkNext(b *testing.B) {
	bySize(b, "wheel", func(b *testing.B, pending int) {
		w, _ := wheelOf(pending)
		for b.Loop() {
			w.Next()
		}
	})
	bySize(b, "unhinted", func(b *testing.B, pending int) {
		w, _ := wheelOf(pending)
		for b.Loop() {
			w.hint = 0
			w.Next()
		}
	})
	bySize(b, "heap", func(b *testing.B, pending int) {
		h, _ := heapOf(pending)
		var when int64
		for b.Loop() {
			when = (*h)[0].when
		}
		_ = when
	})
}
