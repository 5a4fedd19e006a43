package inspect

import (
	"fmt"
	"io"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Health is how a loop does. Its windows are "10s", "1m" and "10m".
type Health struct {
	// Utilization is the share of the time that the loop was not asleep.
	Utilization map[string]float64 `json:"utilization"`
	// Lag is how long tasks had to wait, at the most, from being ready to running.
	Lag map[string]Lag `json:"lag"`

	TurnsPerSecond float64 `json:"turns_per_second"` // of the last ten seconds
	StepsPerSecond float64 `json:"steps_per_second"`
	Turns          uint64  `json:"turns"`
	Steps          uint64  `json:"steps"`
	Ready          int     `json:"ready"`
	Timers         int     `json:"timers"`
	FDs            int     `json:"fds"`
	Tasks          int     `json:"tasks"`
	Threads        int     `json:"threads"`
	Posts          uint64  `json:"posts"`
	Wakes          uint64  `json:"wakes"`
	Coroutines     int     `json:"coroutines"` // in use or pooled
	Pooled         int     `json:"pooled"`
	// CoroutineBytes is what the pooled coroutines take, if none has grown its stack.
	CoroutineBytes int64 `json:"coroutine_bytes"`

	metrics core.Metrics
}

// Lag is of a window.
type Lag struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

var windowNames = [...]string{"10s", "1m", "10m"}

// healthOf returns a loop's health. It does not ask the loop.
func healthOf(m core.Metrics) Health {
	h := Health{
		Utilization: make(map[string]float64), Lag: make(map[string]Lag),
		TurnsPerSecond: m.Windows[0].TurnsPerSecond, StepsPerSecond: m.Windows[0].StepsPerSecond,
		Turns: m.Turns, Steps: m.Steps, Ready: m.Ready, Timers: m.Timers, FDs: m.FDs, Tasks: m.Tasks, Threads: m.Threads,
		Posts: m.Posts, Wakes: m.Wakes, Coroutines: m.Coroutines, Pooled: m.Pooled, CoroutineBytes: m.CoroutineMemory,
		metrics: m,
	}
	for i := range m.Windows {
		w := &m.Windows[i]
		h.Utilization[windowNames[i]] = w.Utilization
		h.Lag[windowNames[i]] = Lag{atMost(w, 0.5), atMost(w, 0.99), w.MaxLag.Seconds()}
	}
	return h
}

// atMost returns a quantile of the lag in seconds: the greatest bounds it.
func atMost(w *core.Window, q float64) float64 {
	return min(w.Lag.Quantile(q), w.MaxLag).Seconds()
}

func (h *Health) write(w io.Writer) {
	fmt.Fprintf(w, "  ready %d, timers %d, descriptors %d, threads %d, coroutines %d (%d pooled)\n", h.Ready, h.Timers, h.FDs, h.Threads, h.Coroutines, h.Pooled)
	fmt.Fprintf(w, "  %.0f turns and %.0f steps a second; %d calls from other goroutines, %d woke it\n", h.TurnsPerSecond, h.StepsPerSecond, h.Posts, h.Wakes)
	for _, name := range windowNames {
		lag := h.Lag[name]
		fmt.Fprintf(w, "  last %-3s  busy %3.0f%%   lag: half < %s, 99%% < %s, max %s\n", name, 100*h.Utilization[name], short(lag.P50), short(lag.P99), short(lag.Max))
	}
}

// short formats seconds with three digits at most.
func short(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Second {
		return core.Rounded(d.Round(time.Microsecond))
	}
	return core.Rounded(d)
}
