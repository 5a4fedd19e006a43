package reactortest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	flagSeed  = flag.String("eddy.seed", "", "run simulations with this `seed` only, and print their traces")
	flagSeeds = flag.Int("eddy.seeds", 0, "run simulations with the seeds 1 to `n` in place of their own")
	flagTrace = flag.Bool("eddy.trace", false, "print the trace of each simulation")
	flagTwice = flag.Bool("eddy.twice", false, "run each simulation twice, and compare the traces")
)

// chosen returns the seeds to run, and reports whether this is a replay.
func chosen(t testing.TB, seeds []uint64) ([]uint64, bool) {
	t.Helper()
	if *flagSeed != "" {
		var seed uint64
		if _, err := fmt.Sscan(*flagSeed, &seed); err != nil {
			t.Fatalf("-eddy.seed=%s: %v", *flagSeed, err)
		}
		return []uint64{seed}, true
	}
	n := *flagSeeds
	if n == 0 && len(seeds) == 0 {
		n = 100
	}
	if n > 0 {
		seeds = nil
		for i := range n {
			seeds = append(seeds, uint64(i+1))
		}
	}
	return seeds, false
}

// replayCommand returns the command that runs a seed again.
func replayCommand(t testing.TB, seed uint64) string {
	var names []string
	for _, name := range strings.Split(t.Name(), "/") {
		names = append(names, "^"+name+"$")
	}
	dir := "."
	if wd, err := os.Getwd(); err == nil {
		dir = "./" + filepath.Base(wd)
	}
	return fmt.Sprintf("go test -run '%s' -v -eddy.seed=%d # in %s", strings.Join(names, "/"), seed, dir)
}
