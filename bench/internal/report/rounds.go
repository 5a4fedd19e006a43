package report

import (
	"fmt"
	"io"
)

// A Line holds the results of one subject, in rounds. After an error it has
// only the earlier rounds.
type Line[R any] struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Rounds []R    `json:"rounds"`
	Error  string `json:"error,omitempty"`
}

// Interleave measures all lines in each round (A B C A B C), so that changes of
// the machine's speed affect all alike. A line that fails is not tried again.
func Interleave[R any](rounds int, lines []Line[R], once func(i int) (R, error)) {
	for range rounds {
		for i := range lines {
			l := &lines[i]
			if l.Error != "" {
				continue
			}
			r, err := once(i)
			if err != nil {
				l.Error = err.Error()
				continue
			}
			l.Rounds = append(l.Rounds, r)
		}
	}
}

// Values returns one figure of each round.
func (l Line[R]) Values(of func(R) float64) []float64 {
	values := make([]float64, len(l.Rounds))
	for i, r := range l.Rounds {
		values[i] = of(r)
	}
	return values
}

// Median returns the median of one figure; NaN if there are no rounds.
func (l Line[R]) Median(of func(R) float64) float64 { return Median(l.Values(of)) }

// Measured returns the lines that have rounds.
func Measured[R any](lines []Line[R]) (some []Line[R]) {
	for _, l := range lines {
		if len(l.Rounds) > 0 {
			some = append(some, l)
		}
	}
	return some
}

// Find returns the line with a key, or an empty one if there is none.
func Find[R any](lines []Line[R], key string) Line[R] {
	for _, l := range lines {
		if l.Key == key {
			return l
		}
	}
	return Line[R]{}
}

// PrintFailures prints which lines failed and why.
func PrintFailures[R any](w io.Writer, lines []Line[R]) {
	for _, l := range lines {
		if l.Error != "" {
			fmt.Fprintf(w, "\n%s failed: %s\n", l.Title, l.Error)
		}
	}
}
