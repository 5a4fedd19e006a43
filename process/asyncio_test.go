package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/process"
	"github.com/eddyio/eddy/reactor"
)

// The recorded program 66 of asyncio, and the lines that CPython 3.13 printed:
// a process that is written to and read, ended by a signal, waited for with a
// timeout, and not found. (docs/asyncio.md has all programs.)
func TestCase66Subprocess(t *testing.T) {
	recorded := []string{
		`None (b'data', None) 0`,
		`(b'out\n', b'err\n') 3`,
		`True`,
		`timeout does not kill: None`,
		`-9`,
		`kill after exit: ProcessLookupError`,
		`FileNotFoundError`,
	}
	var lines []string
	print := func(values ...any) {
		text := fmt.Sprintln(values...)
		lines = append(lines, strings.TrimSuffix(text, "\n"))
	}
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		start := func(name string, args ...string) *process.Cmd {
			p := process.Command(name, args...)
			if err := p.Start(ctx); err != nil {
				t.Fatal(err)
			}
			return p
		}

		p := process.Command("cat")
		before := returnCode(p)
		out, _, err := p.Communicate(ctx, []byte("data"))
		if err != nil {
			return err
		}
		print(before, "("+repr(out)+", None)", returnCode(p))

		p = process.Command("sh", "-c", "echo out; echo err >&2; exit 3")
		out, stderr, _ := p.Communicate(ctx, nil)
		print("("+repr(out)+", "+repr(stderr)+")", returnCode(p))

		p = start("sleep", "30")
		p.Process.Signal(syscall.SIGTERM)
		p.Wait(ctx)
		print(title(returnCode(p) == fmt.Sprint(-int(syscall.SIGTERM))))

		p = start("sleep", "30")
		if err := reactor.Timeout(ctx, 20*time.Millisecond, p.Wait); errors.Is(err, context.DeadlineExceeded) {
			print("timeout does not kill:", returnCode(p))
		}
		p.Process.Kill()
		p.Wait(ctx)
		print(returnCode(p))
		if err := p.Process.Kill(); errors.Is(err, os.ErrProcessDone) {
			print("kill after exit: ProcessLookupError")
		}
		if err := process.Command("/no/such").Start(ctx); errors.Is(err, os.ErrNotExist) {
			print("FileNotFoundError")
		}
		return nil
	})
	if err != nil {
		t.Error("the loop ended with", err)
	}
	if !slices.Equal(lines, recorded) {
		t.Errorf("printed:\n\t%s\nrecorded:\n\t%s", strings.Join(lines, "\n\t"), strings.Join(recorded, "\n\t"))
	}
}

// returnCode is asyncio's: the status, or the signal as a negative number.
func returnCode(p *process.Cmd) string {
	if p.ProcessState == nil {
		return "None"
	}
	if status := p.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return fmt.Sprint(-int(status.Signal()))
	}
	return fmt.Sprint(p.ProcessState.ExitCode())
}

// repr and title format like Python.
func repr(b []byte) string {
	text := fmt.Sprintf("%q", b)
	return "b'" + text[1:len(text)-1] + "'"
}

func title(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
