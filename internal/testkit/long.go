package testkit

import (
	"os"
	"testing"
)

// longEnv makes the tests do all that they can, as CI does.
const longEnv = "EDDY_LONG"

// Long reports whether tests may take long: the environment variable EDDY_LONG is set.
func Long() bool { return os.Getenv(longEnv) != "" }

// NeedsLong skips a test that takes long, unless it may.
func NeedsLong(t testing.TB) {
	t.Helper()
	if !Long() {
		t.Skip("takes long: set " + longEnv + "=1")
	}
}

// Times returns n, the number of times that a test repeats itself, or all if tests may
// take long.
func Times(n, all int) int {
	if Long() {
		return all
	}
	return n
}
