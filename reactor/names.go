package reactor

import (
	"fmt"
	"iter"
	"strings"

	"github.com/eddyio/eddy/reactor/core"
)

// maxListed bounds how many tasks a description of what a task waits for names.
const maxListed = 3

// listTasks names tasks, as many as there is room for, and counts the rest: they are
// left in all. Some may be missing among them.
func listTasks(left int, tasks iter.Seq[*core.Task]) string {
	var b strings.Builder
	n := 0
	for t := range tasks {
		if n == maxListed || n == left {
			break
		}
		if n > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.String())
		n++
	}
	switch more := left - n; {
	case n == 0:
		fmt.Fprintf(&b, "%d of them", left)
	case more > 0:
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}
