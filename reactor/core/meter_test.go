package core

import (
	"testing"
	"time"
)

// The buckets of lags cover all, in order, and are at most a quarter too wide.
func TestLagBuckets(t *testing.T) {
	before := time.Duration(0)
	for i := range lagBuckets {
		end := bucketEnd(i)
		if end <= before {
			t.Fatalf("bucket %d ends at %v, the one before at %v", i, end, before)
		}
		if i > 4 && float64(end) > 1.26*float64(before) {
			t.Errorf("bucket %d is from %v to %v", i, before, end)
		}
		if b := bucketOf(int64(end) - 1); b != i {
			t.Errorf("%v is in bucket %d, want %d", end-1, b, i)
		}
		if b := bucketOf(int64(end)); b != min(i+1, lagBuckets-1) {
			t.Errorf("%v is in bucket %d", end, b)
		}
		before = end
	}
	if bucketOf(-5) != 0 || bucketOf(1<<62) != lagBuckets-1 {
		t.Error("what is beyond is not in the last one")
	}
}

// A window forgets what was before it, and a loop that slept throughout was idle.
func TestWindows(t *testing.T) {
	var m meter
	second := int64(time.Second)
	m.begin(0)
	now, slept := int64(0), int64(0)
	window := func(i int, standing int64) Window {
		x := Metrics{Turns: m.turns.Load(), Steps: m.steps.Load()}
		for i := range m.lags {
			x.Lag.Counts[i] = m.lags[i].Load()
		}
		return m.rings[i].window(windows[i], now, slept, standing, &x)
	}
	pass := func(seconds int, busy float64, lag time.Duration) {
		for range seconds {
			now += second
			slept += int64((1 - busy) * float64(second))
			m.slept.Store(slept)
			m.count(int64(lag), 1, 100)
			for j := range m.rings {
				if r := &m.rings[j]; now-r.at >= int64(windows[j]/parts) {
					m.mark(r, now)
				}
			}
		}
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if got < 0.99*want-0.001 || got > 1.01*want+0.001 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	pass(600, 0.25, time.Millisecond)
	near("ten minutes", window(2, 0).Utilization, 0.25)
	pass(30, 0.75, 16*time.Millisecond)
	w := window(0, 0)
	near("ten seconds", w.Utilization, 0.75)
	near("steps", w.StepsPerSecond, 100)
	near("turns", w.TurnsPerSecond, 1)
	if w.MaxLag != 16*time.Millisecond || w.Lag.Quantile(0.5) < 16*time.Millisecond || w.Lag.Quantile(0.99) > 20*time.Millisecond {
		t.Errorf("lag %v, %v", w.MaxLag, w.Lag.Quantile(0.5))
	}
	w = window(1, 0)
	near("a minute", w.Utilization, 0.5)
	if w.Lag.Quantile(0.2) > 2*time.Millisecond || w.Lag.Quantile(0.9) < 16*time.Millisecond {
		t.Errorf("lag %v, %v", w.Lag.Quantile(0.2), w.Lag.Quantile(0.9))
	}
	now += 3600 * second // asleep
	slept += 3600 * second
	if w := window(2, 0); w.Utilization != 0 || w.Lag.Total() != 0 || w.MaxLag != 0 {
		t.Errorf("after an hour's sleep: %+v", w)
	}
	now += 3600 * second // standing
	if w := window(2, 3600*second); w.Utilization != 1 || w.MaxLag != time.Hour {
		t.Errorf("after an hour's standing: %v, %v", w.Utilization, w.MaxLag)
	}
}
