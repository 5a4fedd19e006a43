package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// The output of the same program with asyncio's subprocesses.
const case66 = `
None (b'data', None) 0
(b'out\n', b'err\n') 3
True
timeout does not kill: None
-9
kill after exit: ProcessLookupError
FileNotFoundError
`

// python writes Go's values as Python does.
func python(v any) string {
	switch v := v.(type) {
	case []byte:
		return "b'" + strings.ReplaceAll(string(v), "\n", `\n`) + "'"
	case *os.ProcessState:
		if v == nil {
			return "None"
		}
		if status := v.Sys().(syscall.WaitStatus); status.Signaled() {
			return fmt.Sprint(-int(status.Signal()))
		}
		return fmt.Sprint(v.ExitCode())
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case error:
		switch {
		case errors.Is(v, os.ErrProcessDone):
			return "ProcessLookupError"
		case errors.Is(v, os.ErrNotExist):
			return "FileNotFoundError"
		}
	case nil:
		return "None"
	}
	return fmt.Sprintf("?%v?", v)
}

func TestCase66BothWays(t *testing.T) {
	bothWays(t, reactor.Options{}, func(t *testing.T, ctx context.Context) {
		var got strings.Builder
		say := func(format string, args ...any) { fmt.Fprintf(&got, format+"\n", args...) }

		c := child("cat")
		before := python(c.ProcessState)
		out, _, err := c.Communicate(ctx, []byte("data"))
		say("%s (%s, %s) %s", before, python(out), python(err), python(c.ProcessState))

		c = child("say", "out\n", "err\n", "3")
		out, errs, err := c.Communicate(ctx, nil)
		say("(%s, %s) %s", python(out), python(errs), python(c.ProcessState))
		if again := c.Wait(ctx); again == nil || again.Error() != err.Error() {
			t.Errorf("a second Wait says %v, the first said %v", again, err)
		}

		c, _ = started(t, ctx, child("sleep"))
		c.Process.Signal(syscall.SIGTERM)
		c.Wait(ctx)
		say("%s", python(python(c.ProcessState) == "-15"))

		c, _ = started(t, ctx, child("sleep"))
		err = reactor.Timeout(ctx, 20*time.Millisecond, c.Wait)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait with a timeout: %v", err)
		}
		say("timeout does not kill: %s", python(c.ProcessState))
		c.Process.Kill()
		c.Wait(ctx)
		say("%s", python(c.ProcessState))
		say("kill after exit: %s", python(c.Process.Kill()))

		say("%s", python(Command("/no/such").Start(ctx)))
		if got.String() != case66[1:] {
			t.Errorf("got\n%s\nwant%s", got.String(), case66)
		}
	})
}
