package reactortest

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// patience is how long, in real time, one task may run before the run is reported as
// hanging.
var patience = 10 * time.Second

var watchdogLog io.Writer = os.Stderr

// watch reports a run that hangs, with its seed and its task. go test's own time limit
// would not name the seed.
func (sim *simulator) watch(t testing.TB, out io.Writer) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	name, command := t.Name(), replayCommand(t, sim.trace.Seed)
	go func() {
		defer close(ended)
		ticker := time.NewTicker(patience)
		defer ticker.Stop()
		for last := sim.steps.Load(); ; {
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
			steps := sim.steps.Load()
			if steps == last {
				fmt.Fprintf(out, "%s: seed %d hangs in task %d, which has let nobody run for %v: it computes, or blocks the thread, by a channel, a mutex or a call that waits. To see how it came there:\n\t%s\n",
					name, sim.trace.Seed, sim.running.Load(), patience, command)
			}
			last = steps
		}
	}()
	return func() { close(quit); <-ended }
}
