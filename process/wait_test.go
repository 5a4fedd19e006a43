package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// Wait ends with the program, even if another process holds its pipes; what
// that writes later can still be read.
func TestWaitDespiteGrandchild(t *testing.T) {
	bothWays(t, reactor.Options{}, func(t *testing.T, ctx context.Context) {
		c := child("parent")
		in, _ := c.StdinPipe()
		out, _ := c.StdoutPipe()
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(ctx); err != nil {
			t.Error(err)
		}
		in.Close() // ends the heir, which would go on
		got, err := io.ReadAll(out)
		if err != nil || string(got) != "parent\nheir\n" {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

// Output reads until the end of the output, which the heir holds open, or until
// ctx is done; then it returns what there was.
func TestOutputOfGrandchild(t *testing.T) {
	run(t, func(ctx context.Context) {
		for _, cancel := range []bool{true, false} {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			c := child("parent")
			c.Stdin = r
			fds := len(testkit.Holdings().FDs)
			task := reactor.Async(ctx, c.Output)
			waitFor(ctx, func() bool { return c.ProcessState != nil })
			reactor.Sleep(ctx, 5*time.Millisecond)
			if task.Finished() {
				t.Error("Output did not wait for the heir")
			}
			want, wantErr := "parent\nheir\n", error(nil)
			if cancel {
				want, wantErr = "parent\n", context.Canceled
				task.Cancel(nil)
			} else {
				w.Close()
			}
			if out, err := task.Await(ctx); string(out) != want || err != wantErr && !errors.Is(err, wantErr) || !c.ProcessState.Success() {
				t.Errorf("got %q, %v, %v", out, err, c.ProcessState)
			}
			if n := len(testkit.Holdings().FDs); cancel && n != fds {
				t.Errorf("%d fds, were %d before", n, fds)
			}
			w.Close()
			r.Close()
		}
	})
}

// A fickle poller reports the fd for exits as readable when it is not.
type fickle struct {
	*eddy.Poller
	token uint64
	lie   bool // for the next Wait to report
	lies  int
}

func (p *fickle) Add(fd int, token uint64) error {
	if tellsExit(fd) {
		p.token, p.lie = token, p.lies < 10
	}
	return p.Poller.Add(fd, token)
}

func (p *fickle) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if !p.lie {
		return p.Poller.Wait(timeout)
	}
	p.lie = false
	p.lies++
	events, err := p.Poller.Wait(0)
	return append(events, eddy.Event{Token: p.token, Ready: eddy.Readable}), err
}

func TestSpuriousReadiness(t *testing.T) {
	p := &fickle{Poller: newPoller(t)}
	runWith(t, reactor.Options{Poller: p}, func(ctx context.Context) {
		c := child("sleep")
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		saviour := time.AfterFunc(patience/4, func() { c.Process.Kill() }) // in case the loop is blocked
		if err := reactor.Timeout(ctx, 20*time.Millisecond, c.Wait); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait: %v", err)
		}
		saviour.Stop()
		c.Process.Kill()
		c.Wait(ctx)
	})
	if p.lies < 2 {
		t.Errorf("lied %d times: this was no test", p.lies)
	}
}

func TestEveryoneMayWait(t *testing.T) {
	bothWays(t, reactor.Options{}, func(t *testing.T, ctx context.Context) {
		c, _ := started(t, ctx, child("sleep"))
		var order []int
		for i := range 5 {
			reactor.Go(ctx, func(ctx context.Context) error {
				if err := c.Wait(ctx); !killed(err, syscall.SIGKILL) {
					t.Error(err)
				}
				order = append(order, i)
				return nil
			})
		}
		reactor.Yield(ctx)
		c.Process.Kill()
		c.Wait(ctx)
		reactor.Yield(ctx)
		for i := range 5 {
			if len(order) != 5 || order[i] != i {
				t.Fatalf("woken in the order %v", order)
			}
		}
		for _, op := range []func() error{c.Process.Kill, func() error { return c.Process.Signal(syscall.SIGTERM) }} {
			if err := op(); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("a signal after the end: %v", err)
			}
		}
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		if err := c.Wait(canceled); err != context.Canceled {
			t.Errorf("Wait for what is over, under a ctx that is done: %v", err)
		}
	})
}

// Other code took the status.
func TestStatusLost(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("true")
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := syscall.Wait4(c.Process.Pid, nil, 0, nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(ctx); !errors.Is(err, syscall.ECHILD) || !strings.Contains(err.Error(), "is lost") {
			t.Errorf("Wait: %v", err)
		}
	})
	runtime.GC() // an os.Process whose Wait failed keeps its handle until it is garbage
}

// The program has ended long before the loop checks.
func TestEndBeforeWatch(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("true")
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		blockUntilExit(t, c.Process.Pid) // and the loop with it: no task has run since Start
		if err := c.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestExitError(t *testing.T) {
	run(t, func(ctx context.Context) {
		long := strings.Repeat("x", 3*tailSize) + "end"
		c := child("say", "", long, "3")
		_, err := c.Output(ctx)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 3 || err.Error() != "exit status 3" {
			t.Fatalf("got %v", err)
		}
		if want := long[len(long)-tailSize:]; string(exit.Stderr) != want {
			t.Errorf("stderr has %d bytes, want the last %d", len(exit.Stderr), len(want))
		}
		c = child("say", "", "mine", "3")
		var mine bytes.Buffer
		c.Stderr = &mine
		if _, err := c.Output(ctx); !errors.As(err, &exit) || exit.Stderr != nil || mine.String() != "mine" {
			t.Errorf("got %v, %q, %q", err, exit.Stderr, mine.String())
		}
	})
}

func TestTail(t *testing.T) {
	all := testkit.Pattern(20 * tailSize)
	for _, step := range []int{1000, tailSize - 1, tailSize, tailSize + 1, 3*tailSize + 5, len(all)} {
		var end tail
		for i := 0; i < len(all); i += step {
			n := min(i+step, len(all))
			if m, err := end.Write(all[i:n]); m != n-i || err != nil {
				t.Fatal(m, err)
			}
			if err := testkit.Same(end.bytes(), all[max(0, n-tailSize):n]); err != nil {
				t.Fatalf("in steps of %d, after %d: %v", step, n, err)
			}
			if len(end.kept) > 4*tailSize {
				t.Fatalf("keeps %d bytes", len(end.kept))
			}
		}
	}
}

func TestCombinedOutput(t *testing.T) {
	run(t, func(ctx context.Context) {
		out, err := child("alternate").CombinedOutput(ctx)
		if string(out) != strings.Repeat("tick tock ", 100) || err != nil {
			t.Errorf("got %q, %v", out, err)
		}
	})
}

// incomparable is a Writer that == panics for.
type incomparable struct{ f func([]byte) }

func (w incomparable) Write(p []byte) (int, error) { w.f(p); return len(p), nil }

func TestIncomparableWriters(t *testing.T) {
	run(t, func(ctx context.Context) {
		var out, errs string
		c := child("say", "out", "err", "0")
		c.Stdout = incomparable{func(p []byte) { out += string(p) }}
		c.Stderr = incomparable{func(p []byte) { errs += string(p) }}
		if err := c.Run(ctx); err != nil || out != "out" || errs != "err" {
			t.Errorf("got %q, %q, %v", out, errs, err)
		}
	})
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error)  { return 0, errBroken }
func (broken) Write([]byte) (int, error) { return 0, errBroken }

// Errors of copying are returned, unless the program itself failed.
func TestCopyErrors(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("cat")
		c.Stdin = broken{}
		if err := c.Run(ctx); err != errBroken {
			t.Errorf("a broken Stdin: %v", err)
		}
		c = child("say", "out", "", "0")
		c.Stdout = broken{}
		if err := c.Run(ctx); err != errBroken {
			t.Errorf("a broken Stdout: %v", err)
		}
		c = child("say", "out", "", "4")
		c.Stdout = broken{}
		var exit *exec.ExitError
		if err := c.Run(ctx); !errors.As(err, &exit) {
			t.Errorf("a broken Stdout and status 4: %v", err)
		}
		c = child("say", "out", "", "0")
		c.Stdout = incomparable{func([]byte) { panic("a writer's") }}
		var p *reactor.PanicError
		if err := c.Run(ctx); !errors.As(err, &p) {
			t.Errorf("a Stdout that panics: %v", err)
		}
	})
}

// A program need not read its input, even if it does not fit in a pipe, or its
// source never yields anything.
func TestUnreadInput(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("true")
		c.Stdin = bytes.NewReader(testkit.Pattern(1 << 20))
		if err := c.Run(ctx); err != nil {
			t.Errorf("much input: %v", err)
		}
		source, sourceIn, sourceOut := catting(t, ctx)
		c = child("true")
		c.Stdin = sourceOut
		if err := c.Run(ctx); err != nil {
			t.Errorf("silent input: %v", err)
		}
		sourceIn.Close()
		source.Wait(ctx)
		sourceOut.Close()
	})
}

func TestPipeline(t *testing.T) {
	run(t, func(ctx context.Context) {
		first, second := child("say", "through two\n", "", "0"), child("cat")
		second.Stdin, _ = first.StdoutPipe()
		if err := first.Start(ctx); err != nil {
			t.Fatal(err)
		}
		out, err := second.Output(ctx)
		if string(out) != "through two\n" || err != nil || first.Wait(ctx) != nil {
			t.Errorf("got %q, %v", out, err)
		}
	})
}
