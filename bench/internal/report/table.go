package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// A Table is a Markdown table that is also readable in a terminal: the first
// column is text, the others are figures.
type Table struct {
	Head []string
	Rows [][]string
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Print writes the table.
func (t *Table) Print(w io.Writer) {
	widths := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	line(w, t.Head, widths)
	rule := make([]string, len(widths))
	for i, n := range widths {
		rule[i] = strings.Repeat("-", n-1) + ":"
	}
	rule[0] = strings.Repeat("-", widths[0])
	line(w, rule, widths)
	for _, row := range t.Rows {
		line(w, row, widths)
	}
}

func line(w io.Writer, cells []string, widths []int) {
	var b strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if i == 0 {
			fmt.Fprintf(&b, "| %s%s |", cell, pad)
		} else {
			fmt.Fprintf(&b, " %s%s |", pad, cell)
		}
	}
	fmt.Fprintln(w, b.String())
}

// Figure formats v with three significant digits, or all digits before the
// point if there are more, in groups; NaN is a dash.
func Figure(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case a >= 100 || a == 0:
		return grouped(int64(math.Round(v)))
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// Times formats a ratio.
func Times(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}

func grouped(n int64) string {
	s := fmt.Sprint(n)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
