package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// groupFrom is as many siblings of one function as are printed as one line.
const groupFrom = 6

// A node is a task with its children, or some siblings of one function.
type node struct {
	*task
	children []*node
	members  []*node // of a group, whose task is the first of them
}

// pstree prints the tree of each loop's tasks. Many siblings of one function are one line each,
// unless all is wanted.
func pstree(ctx context.Context, t *target, out io.Writer, all bool) error {
	return t.print(ctx, out, func(w io.Writer, l *loop) {
		for _, suspect := range l.Suspects {
			fmt.Fprintf(w, "suspect: task %d %s\n", suspect.Task, plain(suspect.Why))
		}
		l.tree(w, all)
	})
}

// tree prints the tasks of a loop. Trees may be deep, so it does not call itself.
func (l *loop) tree(w io.Writer, all bool) {
	type line struct {
		*node
		prefix string // of the lines below
		first  string // of this line
	}
	var stack []line
	push := func(nodes []*node, prefix string, root bool) {
		if !all {
			nodes = grouped(nodes)
		}
		for i, n := range slices.Backward(nodes) {
			switch {
			case root:
				stack = append(stack, line{n, "", ""})
			case i == len(nodes)-1:
				stack = append(stack, line{n, prefix + "   ", prefix + "└─ "})
			default:
				stack = append(stack, line{n, prefix + "│  ", prefix + "├─ "})
			}
		}
	}
	push(l.roots(), "", true)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		fmt.Fprintf(w, "%s%s\n", n.first, l.describe(n.node))
		if n.members == nil {
			push(n.children, n.prefix, false)
		}
	}
}

// roots makes the tree: the tasks that no other of the loop has started, and below them
// the others. Siblings are in the order of their waits, the longest first.
func (l *loop) roots() (roots []*node) {
	nodes := make(map[uint64]*node, len(l.Tasks))
	sorted := l.byWait()
	for _, t := range sorted {
		nodes[t.ID] = &node{task: t}
	}
	for _, t := range sorted {
		n := nodes[t.ID]
		if parent := nodes[t.Parent]; parent != nil && parent != n {
			parent.children = append(parent.children, n)
		} else {
			roots = append(roots, n)
		}
	}
	return roots
}

// grouped puts siblings of one function into a group, where there are many.
func grouped(siblings []*node) (nodes []*node) {
	type function struct{ name, site string }
	var functions []function
	at := make(map[function][]*node)
	for _, n := range siblings {
		f := function{n.Func, n.Site}
		if at[f] == nil {
			functions = append(functions, f)
		}
		at[f] = append(at[f], n)
	}
	for _, f := range functions {
		if len(at[f]) < groupFrom {
			nodes = append(nodes, at[f]...)
		} else {
			nodes = append(nodes, &node{task: at[f][0].task, members: at[f]})
		}
	}
	return nodes
}

// below counts the tasks below some.
func below(nodes []*node) (n int) {
	for stack := slices.Clone(nodes); len(stack) > 0; {
		top := stack[len(stack)-1]
		stack = append(stack[:len(stack)-1], top.children...)
		n += len(top.children)
	}
	return n
}

// describe returns a node's line.
func (l *loop) describe(n *node) string {
	var b strings.Builder
	switch {
	case n.members != nil:
		fmt.Fprintf(&b, "%s × %s: %s; %s at most", count(len(n.members)), plain(cmp.Or(n.Func, n.Name)), summary(n.members), duration(n.Since))
		if n := below(n.members); n > 0 {
			fmt.Fprintf(&b, "; %s below", plural(n, "task", "tasks"))
		}
	case l.Standing != nil && l.Standing.Task == n.ID:
		fmt.Fprintf(&b, "%s #%d HOLDS UP THE LOOP", n.title(), n.ID)
	case n.State == "waiting" && n.WaitsFor != "":
		fmt.Fprintf(&b, "%s #%d waits %s for %s", n.title(), n.ID, duration(n.Since), plain(n.WaitsFor))
	default:
		fmt.Fprintf(&b, "%s #%d is %s", n.title(), n.ID, plain(n.State))
	}
	if n.members == nil && n.Deadline != nil {
		fmt.Fprintf(&b, "; deadline in %s", duration(*n.Deadline))
	}
	if n.Site != "" {
		fmt.Fprintf(&b, " (%s)", shortPlace(n.Site))
	}
	return b.String()
}

var (
	inBrackets = regexp.MustCompile(` ?\([^)]*\)`)
	special    = regexp.MustCompile(`\[[0-9a-f:.%]*\](:\d+)?|\S*\d\S*`)
	several    = regexp.MustCompile(`(… ?)+`)
)

// kind reduces what a task waits for to its kind, without names and numbers.
func (t *task) kind() string {
	s := special.ReplaceAllString(inBrackets.ReplaceAllString(t.doing(), ""), "…")
	return strings.TrimSpace(several.ReplaceAllString(s, "… "))
}

// summary says what most members of a group wait for.
func summary(members []*node) string {
	counts := make(map[string]int)
	for _, m := range members {
		counts[m.kind()]++
	}
	kinds := make([]string, 0, len(counts))
	for k := range counts {
		kinds = append(kinds, k)
	}
	if len(kinds) == 1 {
		return kinds[0]
	}
	slices.SortFunc(kinds, func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	var parts []string
	for _, k := range kinds[:min(3, len(kinds))] {
		parts = append(parts, count(counts[k])+" "+k)
	}
	if len(kinds) > 3 {
		parts = append(parts, plural(len(kinds)-3, "other kind", "other kinds"))
	}
	return strings.Join(parts, ", ")
}
