package report

import (
	"fmt"
	"io"
	"math"
)

// A Target is a figure and its required bound.
type Target struct {
	What    string  // what the figure is
	Got     float64 // NaN if this run did not measure it
	Bound   float64
	AtLeast bool // Bound is a minimum, not a maximum
}

// Met reports whether the figure is within the bound.
func (t Target) Met() bool {
	if t.AtLeast {
		return t.Got >= t.Bound
	}
	return t.Got <= t.Bound
}

// PrintTargets writes a table of the targets for which this run has figures,
// and returns how many were missed.
func PrintTargets(w io.Writer, targets []Target) (missed int) {
	t := Table{Head: []string{"target", "bound", "here", "met"}}
	for _, x := range targets {
		if math.IsNaN(x.Got) {
			continue
		}
		sign, met := "≤ ", "yes"
		if x.AtLeast {
			sign = "≥ "
		}
		if !x.Met() {
			met = "no"
			missed++
		}
		t.Add(x.What, sign+Figure(x.Bound), Figure(x.Got), met)
	}
	if len(t.Rows) > 0 {
		fmt.Fprint(w, "\n### Targets\n\n")
		t.Print(w)
	}
	return missed
}
