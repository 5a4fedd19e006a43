package core

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// A Wait is what a task waits for, in the words of its user. It is a copy, which can be
// formatted elsewhere than on the loop, and later: reports, dumps, traces and whoever
// looks at the loop from outside all have what they say from here.
type Wait struct {
	For   string       // "a mutex", or "a mutex held by" if Tasks follow
	On    fmt.Stringer // what For is done to; it does not change
	Tasks []TaskName
	More  int    // tasks besides these
	Have  int    // of Max: "2 of 10"
	Max   int    // 0: there is no such number
	After string // ends the sentence
	Until int64  // the loop time at which the wait ends at the latest; 0: none
}

// maxListed bounds how many tasks a Wait names.
const maxListed = 3

// A Describer is what a task waits for that is described as a copy.
type Describer interface {
	fmt.Stringer

	// Describe sets what there is to say in d, which is zero. It is called on the loop,
	// for very many tasks at times, and leaves it to the Wait to make a text.
	Describe(d *Wait)
}

// Described is the String method of a [Describer].
func Described(x Describer) string {
	var d Wait
	x.Describe(&d)
	return d.String()
}

// List names tasks, as many as there is room for, and counts the rest: they are left in
// all. Some may be missing among them.
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

// String describes the wait, but for the time that is left.
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

// At describes the wait at a loop time, with the time that is left if it ends by
// itself.
func (d *Wait) At(now int64) string {
	if d.Until == 0 {
		return d.String()
	}
	return d.String() + ", " + Rounded(time.Duration(max(0, d.Until-now))) + " left"
}

// Rounded formats a duration as people say it.
func Rounded(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= 10*unit {
			return d.Round(unit / 10).String()
		}
	}
	return d.String()
}

// Waits describes what the parked worker's task waits for.
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

// describe describes the wait of w, which stands in one of f's lists.
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

// named is a name.
type named string

func (n named) String() string { return string(n) }

// A number is a descriptor's.
type number int32

func (n number) String() string { return fmt.Sprintf("fd %d", int32(n)) }

func (f *FD) named() fmt.Stringer { return number(f.sysfd) }
