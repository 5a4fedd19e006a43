package load

import (
	"math/bits"
	"time"
)

// A Histogram counts durations in buckets that are narrow relative to their
// values. The zero Histogram is empty. Recording takes constant time and does
// not allocate.
//
// Invariants: bucket i holds the nanoseconds v with index(v) == i; below
// 2·resolution a bucket is one nanosecond wide, and above, each power of two is
// divided into resolution buckets, so a bucket's width is less than 1% of its
// values. total is the sum of counts.
type Histogram struct {
	counts [buckets]uint64
	total  uint64
}

const (
	resolutionBits = 7
	resolution     = 1 << resolutionBits
	longest        = 1<<40 - 1 // 18 minutes; longer durations count as that
	buckets        = (40 - resolutionBits + 1) * resolution
)

func index(v uint64) int {
	shift := max(0, bits.Len64(v)-resolutionBits-1)
	return shift<<resolutionBits + int(v>>shift)
}

// highest returns the highest value of bucket i.
func highest(i int) uint64 {
	shift := max(0, i>>resolutionBits-1)
	return uint64(i-shift<<resolutionBits+1)<<shift - 1
}

// Record counts d. A negative d counts as 0.
func (h *Histogram) Record(d time.Duration) {
	h.counts[index(uint64(min(max(d, 0), longest)))]++
	h.total++
}

// Reset empties h.
func (h *Histogram) Reset() { *h = Histogram{} }

// Count returns how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.total }

// Quantile returns the q-quantile of the recorded durations, or up to 1% more.
// It is 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := min(uint64(q*float64(h.total))+1, h.total)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= want && n > 0 {
			return time.Duration(highest(i))
		}
	}
	return 0
}
