package core

import (
	"testing"
)

// The key is always the same, if there is one.
func TestCancelKeyIsFound(t *testing.T) {
	if cancelKey != findCancelKey() {
		t.Error("package context finds no context of its own behind Value: see derive.go")
	}
}
