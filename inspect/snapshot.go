package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Snapshot is the state of the loops of the process. Its JSON is documented
// in docs/inspect.md. Durations are in seconds.
type Snapshot struct {
	Version int       `json:"version"` // 1; it grows when a field changes its meaning
	Time    time.Time `json:"time"`
	PID     int       `json:"pid"`
	Program string    `json:"program"`
	Go      string    `json:"go"`
	Loops   []Loop    `json:"loops"`
}

// A Loop is a loop in a [Snapshot].
type Loop struct {
	ID       uint64    `json:"id"`
	Name     string    `json:"name"` // of its main function
	Standing *Standing `json:"standing,omitempty"`
	Error    string    `json:"error,omitempty"` // why it was not asked, or did not answer
	Asked    float64   `json:"asked,omitempty"` // age of Tasks, if they were not seen just now
	Health   Health    `json:"health"`
	Servers  []Server  `json:"servers,omitempty"`
	Slow     []Slow    `json:"slow,omitempty"` // steps that kept the thread for long, the newest first
	Tasks    []Task    `json:"tasks"`
	Census   []Site    `json:"census"`
	Suspects []Suspect `json:"suspects"`
}

// A Standing is the step that blocks a loop.
type Standing struct {
	Task  uint64  `json:"task,omitempty"` // 0: a callback, or it is not known
	Name  string  `json:"name"`
	For   float64 `json:"for"`
	Calls bool    `json:"calls"` // other goroutines' calls wait for the loop
	Stack string  `json:"stack"`
}

// A Task is a task in a [Snapshot].
type Task struct {
	ID       uint64   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Func     string   `json:"func,omitempty"`
	Site     string   `json:"site,omitempty"` // where the code of its function begins
	State    string   `json:"state"`          // running, ready, waiting or starting
	WaitsFor string   `json:"waits_for,omitempty"`
	Since    *float64 `json:"since,omitempty"`    // for how long it has waited
	Deadline *float64 `json:"deadline,omitempty"` // in how long a scope around it is done
	Parent   uint64   `json:"parent,omitempty"`
	Group    bool     `json:"group,omitempty"` // a group, or something like one, waits for it
}

// Take looks at all loops of the process, for as long as ctx lasts and for at most
// half a second. It may be called from anywhere; tasks see the others' loops stand if
// they wait for the caller's.
func Take(ctx context.Context) *Snapshot {
	s := &Snapshot{Version: 1, Time: time.Now(), PID: os.Getpid(), Program: filepath.Base(os.Args[0]), Go: runtime.Version()}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	loops := core.Loops()
	s.Loops = make([]Loop, len(loops))
	gone := make([]bool, len(loops))
	var wg sync.WaitGroup
	for i, l := range loops {
		look := func() { s.Loops[i], gone[i] = lookAt(ctx, l) }
		if l.OnThread() {
			look()
		} else {
			wg.Go(look)
		}
	}
	wg.Wait()
	i := 0
	s.Loops = slices.DeleteFunc(s.Loops, func(Loop) bool { i++; return gone[i-1] })
	return s
}

// patience is how long a loop may take to answer.
const patience = 500 * time.Millisecond

// seen keeps the last views of loops, by number, for when they are blocked.
var seen sync.Map

// A sight is a view and when it was taken.
type sight struct {
	view *core.View
	at   time.Time
}

// lookAt inspects a loop, and reports whether it has ended.
func lookAt(ctx context.Context, l *core.Loop) (out Loop, gone bool) {
	out = Loop{ID: l.Number(), Name: l.Main(), Health: healthOf(l.Metrics()), Tasks: []Task{}, Census: []Site{}, Suspects: []Suspect{}}
	out.exhibit(l)
	view, err := l.Look(ctx.Done())
	switch {
	case errors.Is(err, core.ErrOver):
		seen.Delete(l.Number())
		return out, true
	case err == nil:
		seen.Store(l.Number(), sight{view, time.Now()})
	default:
		out.Error = err.Error()
		out.Standing = standing(l)
		if out.Standing != nil {
			out.Error = ""
		}
		last, ok := seen.Load(l.Number())
		if !ok {
			return out, false
		}
		view = last.(sight).view
		out.Asked = time.Since(last.(sight).at).Seconds()
	}
	out.describe(view)
	return out, false
}

// describe fills in l from a view.
func (l *Loop) describe(v *core.View) {
	l.Tasks = make([]Task, len(v.Tasks))
	sites := newSites()
	for i := range v.Tasks {
		t := &v.Tasks[i]
		l.Tasks[i] = describeTask(t, v.Now, sites)
	}
	l.Census = census(v, sites)
	l.Suspects = suspects(l.Tasks)
	if len(v.Tasks) > 0 && v.Tasks[0].Name.ID == 1 {
		l.Name = v.Tasks[0].Name.Called()
	}
}

func describeTask(t *core.TaskView, now int64, sites sites) Task {
	place := sites.of(t.Name)
	out := Task{
		ID: t.Name.ID, Name: t.Name.Called(), Func: place.function, Site: place.site,
		State: t.Doing.String(), Parent: t.Parent, Group: t.Grouped,
	}
	if t.Doing == core.Waits {
		out.WaitsFor = t.Wait.At(now)
		out.Since = seconds(now - t.Since)
	}
	if t.Deadline != 0 {
		out.Deadline = seconds(t.Deadline - now)
	}
	return out
}

func seconds(d int64) *float64 {
	s := time.Duration(max(0, d)).Seconds()
	return &s
}
