package report

import (
	"math"
	"slices"
)

// Median returns the middle one of values, or the mean of the middle two; NaN if
// there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// Ratio returns the median of a[i]/b[i]: dividing within a round cancels slow
// changes of the machine's speed. Rounds that only one of them has are left
// out.
func Ratio(a, b []float64) float64 {
	n := min(len(a), len(b))
	ratios := make([]float64, 0, n)
	for i := range n {
		if r := a[i] / b[i]; !math.IsNaN(r) && !math.IsInf(r, 0) {
			ratios = append(ratios, r)
		}
	}
	return Median(ratios)
}
