package testkit

import (
	"bytes"
	"fmt"
	"testing"
)

// Pattern returns n bytes without local repetition, so that lost, doubled or
// swapped bytes are detected. Patterns of different lengths differ.
func Pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(n)*2654435761 + 1
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// Same returns nil if got equals want, and else a short error that names the
// first difference.
func Same(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	if len(got) != len(want) {
		return fmt.Errorf("got %d bytes, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("byte %d of %d is %#x, want %#x", i, len(got), got[i], want[i])
		}
	}
	return nil
}

// SameLines fails the test for the first line in which got differs from want.
func SameLines(t testing.TB, got, want []string) {
	t.Helper()
	at := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return "(the end)"
	}
	for i := range max(len(got), len(want)) {
		if g, w := at(got, i), at(want, i); g != w {
			t.Errorf("line %d is\n%s\nwant\n%s", i+1, g, w)
			return
		}
	}
}
