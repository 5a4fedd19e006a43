package main

import (
	"cmp"
	"slices"
	"time"
)

// A snapshot is what package inspect answers to a request for json, as far as this
// command reads it. All times are in seconds.
type snapshot struct {
	Version int
	Time    time.Time
	PID     int
	Program string
	Go      string
	Loops   []*loop
}

type loop struct {
	ID       uint64
	Name     string
	Standing *standing
	Error    string
	Asked    float64 // how long ago the tasks were seen, if not just now
	Health   health
	Servers  []server
	Slow     []slowStep
	Tasks    []*task
	Census   []place
	Suspects []suspect
}

type standing struct {
	Task  uint64
	Name  string
	For   float64
	Stack string
}

type health struct {
	Utilization *struct {
		Last float64 `json:"10s"`
		Min  float64 `json:"1m"`
	}
	Lag *struct {
		Last struct{ P50, P99, Max float64 } `json:"10s"`
	}
	Turns      float64 `json:"turns_per_second"`
	Steps      float64 `json:"steps_per_second"`
	Ready      int
	Timers     int
	FDs        int
	Tasks      int
	Threads    int
	Coroutines int
}

// measured reports whether the loop has been measured for long enough to say how it
// fares.
func (h *health) measured() bool { return h.Utilization != nil && h.Lag != nil }

type server struct {
	Address                                      string
	Connections, Accepted, Shed, Expired, Failed uint64
	Read, Written                                uint64
}

type slowStep struct {
	Time  time.Time
	Task  string
	Took  float64
	Stack string
}

type task struct {
	ID       uint64
	Name     string
	Func     string
	Site     string
	State    string
	WaitsFor string `json:"waits_for"`
	Since    float64
	Deadline *float64
	Parent   uint64
}

type place struct {
	Site   string
	Func   string
	Count  int
	Oldest float64
}

type suspect struct {
	Task uint64
	Why  string
}

// longest orders tasks by how long they wait, the longest first.
func longest(a, b *task) int {
	return cmp.Or(cmp.Compare(b.Since, a.Since), cmp.Compare(a.ID, b.ID))
}

func (l *loop) byWait() []*task { return slices.SortedFunc(slices.Values(l.Tasks), longest) }

func (l *loop) task(id uint64) *task {
	if i := slices.IndexFunc(l.Tasks, func(t *task) bool { return t.ID == id }); i >= 0 {
		return l.Tasks[i]
	}
	return nil
}
