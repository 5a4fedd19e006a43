package reactortest

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// patience is how long, in real time, one task may run before it is said that the
// run hangs.
var patience = 10 * time.Second

var watchdogLog io.Writer = os.Stderr

// watch says which run hangs, and in which task, when one does: the test will end
// by its time limit, which knows nothing of seeds.
func (w *world) watch(t testing.TB, out io.Writer) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	name, command := t.Name(), replayCommand(t, w.trace.Seed)
	go func() {
		defer close(ended)
		ticker := time.NewTicker(patience)
		defer ticker.Stop()
		for last := w.steps.Load(); ; {
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
			steps := w.steps.Load()
			if steps == last {
				fmt.Fprintf(out, "%s: seed %d hangs in task %d, which has let nobody run for %v: it computes, or blocks the thread, by a channel, a mutex or a call that waits. To see how it came there:\n\t%s\n",
					name, w.trace.Seed, w.running.Load(), patience, command)
			}
			last = steps
		}
	}()
	return func() { close(quit); <-ended }
}
