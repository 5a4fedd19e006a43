package core

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// A Wait describes what a task waits for. It is a copy, which can be formatted
// off the loop, and later: reports, dumps, traces and inspections of the loop
// all use it.
type Wait struct {
	For   string       // "a mutex", or "a mutex held by" if Tasks follow
	On    fmt.Stringer // the object of For; it does not change
	Tasks []TaskName
	More  int    // tasks besides these
	Have  int    // of Max: "2 of 10"
	Max   int    // 0: there is no such number
	After string // end of the sentence
	Until int64  // the loop time at which the wait ends at the latest; 0: none
}

// maxListed bounds how many tasks a Wait names.
const maxListed = 3

// A Describer is an object of a wait that can be described by a Wait.
type Describer interface {
	fmt.Stringer

	// Describe fills in d, which is zero. It is called on the loop, possibly
	// for very many tasks, so it must not format text.
	Describe(d *Wait)
}

// Described implements the String method of a [Describer].
func Described(x Describer) string {
	var d Wait
	x.Describe(&d)
	return d.String()
}

// List names the first few of tasks, and counts the others. There are left
// tasks in all; the sequence may lack some of them.
func (d *Wait) List(left int, tasks iter.Seq[*Task]) {
	for t := range tasks {
		if len(d.Tasks) == maxListed || len(d.Tasks) == left {
			break
		}
		d.Name(t)
	}
	d.More = left - len(d.Tasks)
}

// Name adds a task to those that d names.
func (d *Wait) Name(t *Task) { d.Tasks = append(d.Tasks, t.Name()) }

// String describes the wait, without the time left.
func (d *Wait) String() string {
	var b strings.Builder
	b.WriteString(d.For)
	space := func() {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
	}
	if d.On != nil {
		space()
		b.WriteString(d.On.String())
	}
	for i, t := range d.Tasks {
		if i > 0 {
			b.WriteByte(',')
		}
		space()
		b.WriteString(t.String())
	}
	switch {
	case d.More > 0 && len(d.Tasks) == 0:
		space()
		fmt.Fprintf(&b, "%d of them", d.More)
	case d.More > 0:
		fmt.Fprintf(&b, " and %d more", d.More)
	}
	if d.Max > 0 {
		fmt.Fprintf(&b, ", %d of %d", d.Have, d.Max)
	}
	b.WriteString(d.After)
	return b.String()
}

// At describes the wait at a loop time, with the time left if it has a
// deadline.
func (d *Wait) At(now int64) string {
	if d.Until == 0 {
		return d.String()
	}
	return d.String() + ", " + Rounded(time.Duration(max(0, d.Until-now))) + " left"
}

// Rounded formats a duration, rounded for people.
func Rounded(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= 10*unit {
			return d.Round(unit / 10).String()
		}
	}
	return d.String()
}

// waits describes what the parked worker's task waits for.
func (w *Worker) waits() (d Wait) {
	switch x := w.what.(type) {
	case *FD:
		x.describe(w, &d)
	case *Task:
		d.Name(x)
	case Describer:
		x.Describe(&d)
	default:
		d.For = w.loop.describe(x)
	}
	if w.timer.Active() && w.timer.When() < int64(MaxTime) {
		d.Until = w.timer.When()
	}
	return d
}

// describe describes the wait of w, which is in one of f's lists.
func (f *FD) describe(w *Worker, d *Wait) {
	dir := &f.write
	switch {
	case w.node.list == &f.read.waiters:
		d.For, dir = "read of", &f.read
	case w.node.list == &f.queue && !w.timer.Active(): // else see PauseWrite
		d.For = "other tasks' writes to"
	default:
		d.For = "write to"
	}
	d.On = f.named()
	if f.loop.sim != nil {
		d.On = named(f.loop.sim.Describe(f))
	} else if k := f.kind.Load(); k != nil && k.Name != nil {
		k.Name(f, d)
	}
	if at := dir.at(); at > 0 {
		d.Until = int64(at)
	}
}

// named is a string as a fmt.Stringer.
type named string

func (n named) String() string { return string(n) }

// A number is a descriptor number as a fmt.Stringer.
type number int32

func (n number) String() string { return fmt.Sprintf("fd %d", int32(n)) }

func (f *FD) named() fmt.Stringer { return number(f.sysfd) }
