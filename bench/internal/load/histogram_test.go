package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramBuckets(t *testing.T) {
	if last := index(longest); last != buckets-1 {
		t.Fatalf("the longest duration is in bucket %d of %d", last, buckets)
	}
	for i := range buckets {
		v := highest(i)
		if index(v) != i || (i+1 < buckets && index(v+1) != i+1) {
			t.Fatalf("bucket %d ends at %d, which is in %d, before one that is in %d", i, v, index(v), index(v+1))
		}
	}
}

// Quantiles are those of the durations themselves, and at most 1% above.
func TestHistogramQuantiles(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 50 {
		var h Histogram
		all := make([]time.Duration, 1+rng.IntN(3000))
		for i := range all {
			all[i] = time.Duration(math.Exp(rng.Float64() * math.Log(longest)))
			h.Record(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
			want := all[min(int(q*float64(len(all))), len(all)-1)]
			if got := h.Quantile(q); got < want || float64(got) > float64(want)*1.01 {
				t.Fatalf("seed %d: quantile %v of %d durations is %v, not %v", seed, q, len(all), got, want)
			}
		}
		if h.Count() != uint64(len(all)) {
			t.Fatalf("seed %d: %d recorded, %d counted", seed, len(all), h.Count())
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	h.Record(-time.Second)
	h.Record(math.MaxInt64)
	if h.Quantile(0) != 0 || h.Quantile(1) != longest {
		t.Errorf("durations out of range are %v and %v", h.Quantile(0), h.Quantile(1))
	}
	if n := testing.AllocsPerRun(100, func() { h.Record(time.Millisecond) }); n != 0 {
		t.Errorf("recording allocates %v times", n)
	}
	h.Reset()
	if h.Count() != 0 || h.Quantile(1) != 0 {
		t.Error("Reset left something")
	}
}
