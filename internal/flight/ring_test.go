package flight

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// A ring of n records.
func newRing(n int) *Ring {
	r := new(Ring)
	r.Init(n * recordSize)
	return r
}

// The ring holds what a slice would of which the oldest are dropped. The oldest is left
// out of a copy of a full ring, since it may be being overwritten.
func TestRingModel(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		r := newRing(minRecords)
		var model []Record
		for range 50 {
			for range rnd.IntN(400) {
				ticks, kind, what := rnd.Int64N(1<<55), Kind(rnd.IntN(256)), rnd.Uint64()
				r.Put(ticks, kind, what)
				model = append(model, Record{uint64(ticks)<<8 | uint64(kind), what})
				if got := model[len(model)-1]; got.Ticks() != ticks || got.Kind() != kind {
					t.Fatalf("%v, %v became %v, %v", ticks, kind, got.Ticks(), got.Kind())
				}
			}
			if rnd.IntN(2) == 0 {
				r.Publish()
			}
			got := r.Copy()
			want := model[max(0, len(model)-minRecords+1):]
			if len(got) != len(want) {
				t.Fatalf("seed %d: %d records, not %d", seed, len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("seed %d: record %d of %d is %v, not %v", seed, i, len(got), got[i], want[i])
				}
			}
		}
	}
}

func TestRingSize(t *testing.T) {
	for _, c := range []struct{ bytes, records int }{
		{0, 1024}, {-5, 1024}, {16 << 10, 1024}, {20 << 10, 1024}, {32 << 10, 2048}, {1 << 20, 1 << 16}, {1<<20 - 1, 1 << 15},
	} {
		var r Ring
		r.Init(c.bytes)
		if r.Len() != c.records {
			t.Errorf("%d bytes are %d records, not %d", c.bytes, r.Len(), c.records)
		}
		if max(c.bytes, 16<<10) < r.Len()*recordSize {
			t.Errorf("%d bytes became %d", c.bytes, r.Len()*recordSize)
		}
	}
}

// A reader finds records in the order in which they were put in, without a gap, and
// each as it was written, while the writer overwrites them.
func TestRingConcurrentReader(t *testing.T) {
	const all = 300_000
	r := newRing(4096)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			copies := 0
			for last := false; !last; copies++ {
				select {
				case <-done:
					last = true
				default:
				}
				got := r.Copy()
				if last && (len(got) == 0 || got[len(got)-1].What != all-1) {
					t.Errorf("the last copy ends before the writer did")
				}
				for i, x := range got {
					if x.Ticks() != int64(x.What) || x.What != got[0].What+uint64(i) {
						t.Errorf("copy %d: record %d of %d is %d at %d; the first is %d", copies, i, len(got), x.What, x.Ticks(), got[0].What)
						return
					}
				}
			}
		})
	}
	for i := range uint64(all) {
		r.Put(int64(i), Runs, i)
		if i%64 == 63 {
			r.Publish()
		}
	}
	r.Publish()
	close(done)
	readers.Wait()
}
