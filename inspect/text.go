package inspect

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// hidden reports whether a character must not appear in a line of text: it
// controls a terminal, ends the line, or changes the direction of the following
// text.
func hidden(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// WritePS writes a line for each task, grouped by loop.
func (s *Snapshot) WritePS(w io.Writer) { writeList(w, s) }

// WritePSTree writes the tree of tasks of each loop.
func (s *Snapshot) WritePSTree(w io.Writer) { writeTree(w, s) }

func writeList(w io.Writer, s *Snapshot) {
	for i := range s.Loops {
		l := &s.Loops[i]
		writeHead(w, l)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "TASK\tPARENT\tSTATE\tSINCE\tNAME\tWAITS FOR")
		for j := range l.Tasks {
			x := &l.Tasks[j]
			parent, since := "-", "-"
			if x.Parent != 0 {
				parent = strconv.FormatUint(x.Parent, 10)
			}
			if x.Since != nil {
				since = ago(*x.Since)
			}
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", x.ID, parent, x.State, since, plain(x.title()), cmp.Or(plain(x.WaitsFor), "-"))
		}
		t.Flush()
	}
}

// title returns a task's name in a list.
func (t *Task) title() string { return cmp.Or(t.Name, t.Func, "-") }

// writeHead writes the description of a loop as a whole.
func writeHead(w io.Writer, l *Loop) {
	fmt.Fprintf(w, "loop %d (%s): %d tasks", l.ID, plain(l.Name), l.Health.Tasks)
	if l.Asked > 0 {
		fmt.Fprintf(w, ", as they were %s ago", ago(l.Asked))
	}
	fmt.Fprintln(w)
	if l.Error != "" {
		fmt.Fprintf(w, "  %s\n", plain(l.Error))
	}
	if x := l.Standing; x != nil {
		fmt.Fprintf(w, "  STANDS for %s: %s keeps its thread", ago(x.For), plain(cmp.Or(x.Name, "a callback")))
		if x.Calls {
			fmt.Fprint(w, "; calls from other goroutines wait for it")
		}
		fmt.Fprintln(w)
		writeIndented(w, x.Stack, "    ")
	}
}

// writeIndented writes a stack, line by line.
func writeIndented(w io.Writer, text, indent string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		n := len(line) - len(strings.TrimLeft(line, "\t"))
		fmt.Fprintf(w, "%s%s%s\n", indent, line[:n], plain(line[n:]))
	}
}

func writeTree(w io.Writer, s *Snapshot) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	for i := range s.Loops {
		writeHead(out, &s.Loops[i])
		newTree(s.Loops[i].Tasks).write(out)
	}
}

// A tree holds tasks by their parents.
type tree struct {
	roots []*Task
	below map[uint64][]*Task
}

// newTree makes the tree of tasks, which are in the order of their numbers.
func newTree(tasks []Task) *tree {
	t := &tree{below: make(map[uint64][]*Task)}
	for i := range tasks {
		x := &tasks[i]
		_, ok := slices.BinarySearchFunc(tasks, x.Parent, func(t Task, id uint64) int { return cmp.Compare(t.ID, id) })
		if ok && x.Parent != x.ID {
			t.below[x.Parent] = append(t.below[x.Parent], x)
		} else {
			t.roots = append(t.roots, x)
		}
	}
	return t
}

// write writes the tree. It does not recurse: a chain of tasks may be long.
func (t *tree) write(w *bufio.Writer) {
	type level struct {
		tasks  []*Task
		indent string // of the lines below them
	}
	stack := []level{{t.roots, ""}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.tasks) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		x := top.tasks[0]
		top.tasks = top.tasks[1:]
		branch, below := "├─ ", "│  "
		if len(top.tasks) == 0 {
			branch, below = "└─ ", "   "
		}
		w.WriteString(top.indent + branch + x.line() + "\n")
		if kids := t.below[x.ID]; len(kids) > 0 {
			stack = append(stack, level{kids, top.indent + below})
		}
	}
}

// line describes a task in the tree.
func (t *Task) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", t.ID, plain(t.title()))
	if t.WaitsFor != "" {
		fmt.Fprintf(&b, " waits for %s", plain(t.WaitsFor))
	} else {
		b.WriteString(" is " + t.State)
	}
	if t.Since != nil {
		fmt.Fprintf(&b, " (%s)", ago(*t.Since))
	}
	if t.Deadline != nil {
		fmt.Fprintf(&b, ", at most %s more", ago(*t.Deadline))
	}
	if t.Site != "" {
		b.WriteString("  " + plain(base(t.Site)))
	}
	return b.String()
}

// base returns a place in the source without its folder.
func base(site string) string { return site[strings.LastIndexByte(site, '/')+1:] }

func writeAll(w io.Writer, s *Snapshot) {
	fmt.Fprintf(w, "%s, process %d, %s, %s\n", plain(s.Program), s.PID, s.Go, s.Time.Format("2006-01-02 15:04:05.000 MST"))
	for i := range s.Loops {
		l := &s.Loops[i]
		fmt.Fprintln(w)
		writeHead(w, l)
		l.Health.write(w)
		writeExhibits(w, l)
		if len(l.Suspects) > 0 {
			fmt.Fprintln(w, "\nworth a look:")
		}
		for _, x := range l.Suspects {
			fmt.Fprintf(w, "  task %d %s\n", x.Task, plain(x.Why))
		}
		if len(l.Census) > 0 {
			fmt.Fprintln(w, "\ntasks by function:")
		}
		t := tabwriter.NewWriter(w, 2, 0, 2, ' ', tabwriter.AlignRight)
		for _, x := range l.Census {
			fmt.Fprintf(t, "%d\t  %s, %s, oldest wait %s\n", x.Count, plain(cmp.Or(x.Func, "(unknown)")), plain(cmp.Or(base(x.Site), "-")), ago(x.Oldest))
		}
		t.Flush()
		fmt.Fprintln(w)
		tree := bufio.NewWriter(w)
		newTree(l.Tasks).write(tree)
		tree.Flush()
	}
}

// writeStack writes the stack of the step that blocks a loop.
func writeStack(w io.Writer, s *Snapshot, loop, task string) {
	for i := range s.Loops {
		l := &s.Loops[i]
		if strconv.FormatUint(l.ID, 10) != loop && loop != "" {
			continue
		}
		if x := l.Standing; x != nil && (task == "" || strconv.FormatUint(x.Task, 10) == task) {
			fmt.Fprintf(w, "loop %d stands for %s: %s\n", l.ID, ago(x.For), plain(cmp.Or(x.Name, "a callback")))
			writeIndented(w, x.Stack, "")
			return
		}
	}
	fmt.Fprintln(w, "no such loop stands")
}
