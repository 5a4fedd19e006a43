package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// When the ctx of Start is done, the program is asked to end; its output after
// that can still be read.
func TestCancelAsks(t *testing.T) {
	bothWays(t, reactor.Options{}, func(t *testing.T, ctx context.Context) {
		why := errors.New("why")
		var out *bufio.Reader
		err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			var c *Cmd
			c, out = started(t, ctx, child("polite"))
			s.Cancel(why)
			return c.Wait(context.WithoutCancel(ctx))
		})
		var exit *exec.ExitError
		if !errors.Is(err, why) || !errors.Is(err, context.Canceled) || !errors.As(err, &exit) || exit.ExitCode() != 7 {
			t.Errorf("got %v", err)
		}
		if last, err := io.ReadAll(out); string(last) != "bye, terminated\n" {
			t.Errorf("the program's last words were %q, %v", last, err)
		}
	})
}

// Run and Output return when the program has ended, not earlier, with what it
// wrote.
func TestOutputCanceled(t *testing.T) {
	bothWays(t, reactor.Options{}, func(t *testing.T, ctx context.Context) {
		c := child("polite")
		var out bytes.Buffer
		c.Stdout = &out
		stop := errors.New("stop")
		task := reactor.Go(ctx, c.Run)
		waitFor(ctx, func() bool { return out.Len() > 0 })
		task.Cancel(stop)
		err := task.Wait(ctx)
		if !errors.Is(err, stop) || c.ProcessState == nil || c.ProcessState.ExitCode() != 7 {
			t.Errorf("Run: %v, %v", err, c.ProcessState)
		}
		if out.String() != "ready\nbye, terminated\n" {
			t.Errorf("wrote %q", out.String())
		}
		if want := "context canceled: stop (exit status 7)"; fmt.Sprint(err) != want {
			t.Errorf("the error reads %q, want %q", err, want)
		}
	})
}

// waitFor yields until f returns true.
func waitFor(ctx context.Context, f func() bool) {
	for !f() && reactor.Sleep(ctx, time.Millisecond) == nil {
	}
}

// A program that ignores the request is killed, after its grace time and not
// earlier.
func TestTerminateThenKill(t *testing.T) {
	bothWays(t, reactor.Options{}, func(t *testing.T, ctx context.Context) {
		const grace = 100 * time.Millisecond
		c := child("stubborn")
		c.Grace = grace
		var asked, ended time.Time
		err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			started(t, ctx, c)
			asked = time.Now()
			s.Cancel(nil)
			err := c.Wait(context.WithoutCancel(ctx))
			ended = time.Now()
			return err
		})
		if !killed(err, syscall.SIGKILL) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if took := ended.Sub(asked); took < grace {
			t.Errorf("killed after %v, its grace was %v", took, grace)
		}
	})
}

func TestCancelFunc(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("polite")
		calls := 0
		c.Cancel = func() error { calls++; return c.Process.Signal(syscall.SIGINT) }
		var out *bufio.Reader
		reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			_, out = started(t, ctx, c)
			s.Cancel(nil)
			return c.Wait(context.WithoutCancel(ctx))
		})
		if last, _ := io.ReadAll(out); string(last) != "bye, interrupt\n" || calls != 1 {
			t.Errorf("Cancel was called %d times; %v, %q", calls, c.ProcessState, last)
		}

		c = child("stubborn")
		c.Grace = math.MaxInt64 // forever, if Cancel had worked
		c.Cancel = func() error { return errBroken }
		err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			started(t, ctx, c)
			s.Cancel(nil)
			return c.Wait(context.WithoutCancel(ctx))
		})
		if !killed(err, syscall.SIGKILL) {
			t.Errorf("a Cancel that fails: %v", err)
		}
	})
}

// A program with a negative grace time is killed as soon as it was asked to end, and
// one with the longest is not killed.
func TestGraceIsNoneOrForever(t *testing.T) {
	run(t, func(ctx context.Context) {
		for grace, want := range map[time.Duration]error{-1: context.Canceled, math.MaxInt64: context.DeadlineExceeded} {
			c := child("stubborn")
			c.Grace = grace
			reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
				started(t, ctx, c)
				s.Cancel(nil)
				return nil
			})
			limit := 50 * time.Millisecond
			if grace < 0 {
				limit = patience
			}
			err := reactor.Timeout(ctx, limit, c.Wait)
			if !errors.Is(err, want) {
				t.Errorf("Grace %v: Wait returned %v, want %v", grace, err, want)
			}
			c.Process.Kill()
			c.Wait(ctx)
		}
	})
}

// The program ends with the scope that it was started in.
func TestEndOfScope(t *testing.T) {
	run(t, func(ctx context.Context) {
		var c *Cmd
		reactor.Timeout(ctx, patience, func(ctx context.Context) error {
			c, _ = started(t, ctx, child("sleep"))
			return nil
		})
		if err := c.Wait(ctx); !killed(err, syscall.SIGTERM) {
			t.Errorf("Wait: %v", err)
		}
		std, cancel := context.WithCancel(ctx) // not made by the loop
		c, _ = started(t, std, child("sleep"))
		cancel()
		if err := c.Wait(ctx); !killed(err, syscall.SIGTERM) {
			t.Errorf("Wait: %v", err)
		}
		// A task's end does not end its program, which another task may use.
		task := reactor.Go(ctx, func(ctx context.Context) error {
			c, _ = started(t, ctx, child("sleep"))
			return nil
		})
		task.Wait(ctx)
		if err := reactor.Timeout(ctx, 50*time.Millisecond, c.Wait); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait: %v", err)
		}
		c.Process.Kill()
		c.Wait(ctx)
	})
}

// In a Group, the error of a program that was ended because of a sibling's
// failure is an echo.
func TestGroupEcho(t *testing.T) {
	run(t, func(ctx context.Context) {
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.Go(child("sleep").Run)
			g.Go(child("say", "", "", "3").Run)
			return nil
		})
		if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != 3 {
			t.Errorf("got %v", err)
		}
	})
}

// ctx is done at any stage: Communicate returns the whole output or ctx's
// error, and nothing is leaked.
func TestCancelAtEveryStage(t *testing.T) {
	const n = 200 << 10
	stages := map[bool]int{}
	run(t, func(ctx context.Context) {
		in := testkit.Pattern(n + 2)
		for i := range 25 {
			c := child("flood", fmt.Sprint(n))
			c.Grace = time.Duration(i%3) * time.Millisecond
			var out []byte
			err := reactor.Timeout(ctx, time.Duration(i)*700*time.Microsecond, func(ctx context.Context) (err error) {
				out, _, err = c.Communicate(ctx, in)
				return err
			})
			switch {
			case err == nil && testkit.Same(out, testkit.Pattern(n)) != nil:
				t.Errorf("at stage %d: %v", i, testkit.Same(out, testkit.Pattern(n)))
			case err != nil && !errors.Is(err, context.DeadlineExceeded):
				t.Errorf("at stage %d: %v", i, err)
			case !bytes.HasPrefix(testkit.Pattern(n), out):
				t.Errorf("at stage %d: the output is mangled", i)
			case c.Process != nil && c.ProcessState == nil:
				t.Errorf("at stage %d: returned before the program's end", i)
			}
			stages[err == nil]++
		}
		for turns := range 8 { // stages before the kernel reports anything
			c := child("sleep")
			task := reactor.Go(ctx, c.Run)
			for range turns {
				reactor.Yield(ctx)
			}
			task.Cancel(nil)
			if err := task.Wait(ctx); !errors.Is(err, context.Canceled) || c.Process != nil && !killed(err, syscall.SIGTERM) {
				t.Errorf("after %d turns: %v", turns, err)
			}
		}
	})
	if stages[false] == 0 {
		t.Error("nothing was ever cancelled")
	}
}

// Data in the pipe when the copying is stopped is not lost.
func TestCanceledOutputIsWhole(t *testing.T) {
	run(t, func(ctx context.Context) {
		const n = 60_000 // the pipe holds it
		c := child("gush", fmt.Sprint(n))
		c.Grace = patience
		var out bytes.Buffer
		err := reactor.Scope(ctx, func(scope context.Context, s *reactor.CancelScope) error {
			c.Stdout = incomparable{func(p []byte) {
				if out.Len() == 0 { // keep the copying busy until it is stopped
					s.Cancel(nil)
					waitFor(ctx, func() bool { return c.ProcessState != nil })
					reactor.Sleep(ctx, 5*time.Millisecond)
				}
				out.Write(p)
			}}
			return c.Run(scope)
		})
		if !errors.Is(err, context.Canceled) || !c.ProcessState.Success() {
			t.Errorf("got %v, %v", err, c.ProcessState)
		}
		if err := testkit.Same(out.Bytes(), testkit.Pattern(n)); err != nil {
			t.Error(err)
		}
	})
}

// The loop's end ends all programs, and reads their last output.
func TestLoopEnd(t *testing.T) {
	for name, last := range map[string]string{"sleep": "ready\n", "polite": "ready\nbye, terminated\n", "stubborn": "ready\n"} {
		var c *Cmd
		var out *bytes.Buffer
		check := func() {
			if c.ProcessState == nil || out.String() != last {
				t.Errorf("the loop ended before the program, %s, or its output, %q", name, out)
			}
		}
		bothWays(t, reactor.Options{Grace: patience}, func(t *testing.T, ctx context.Context) {
			t.Cleanup(check)
			c, out = child(name), new(bytes.Buffer)
			c.Grace = patience
			if name == "stubborn" {
				c.Grace = 50 * time.Millisecond
			}
			c.Stdout = out
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			waitFor(ctx, func() bool { return out.Len() > 0 })
			if name == "sleep" { // also one that ends as it starts
				child("sleep").Start(ctx)
			}
		})
	}
}

// A program with a longer grace time than the loop is killed with it.
func TestLoopEndCutsOff(t *testing.T) {
	for _, way := range []string{"fd", "thread"} {
		t.Run(way, func(t *testing.T) {
			leaks(t)
			log := &logged{}
			o := reactor.Options{Grace: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(log, nil))}
			if way == "thread" {
				o.Poller = noExits(t)
			}
			c := child("stubborn")
			c.Grace = time.Minute
			var out bytes.Buffer
			begun := time.Now()
			err := o.Run(context.Background(), func(ctx context.Context) error {
				c.Stdout = &out
				reactor.Go(ctx, c.Run)
				waitFor(ctx, func() bool { return out.Len() > 0 })
				return nil
			})
			if took := time.Since(begun); err != nil || took >= time.Minute {
				t.Errorf("Run took %v: %v", took, err)
			}
			gone(t, c.Process.Pid)
			if !strings.Contains(log.text.String(), "cut off") {
				t.Error("not a word in the log")
			}
		})
	}
}

func TestDetached(t *testing.T) {
	for _, way := range []string{"fd", "thread"} {
		t.Run(way, func(t *testing.T) {
			leaks(t)
			o := reactor.Options{Logger: slog.New(slog.NewTextHandler(failing{t}, nil))}
			if way == "thread" {
				o.Poller = noExits(t)
			}
			var c *Cmd // it would die of the request to end
			begin := func(ctx context.Context) {
				c = child("sleep")
				c.Detached = true
				err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
					started(t, ctx, c)
					s.Cancel(nil)
					return c.Wait(ctx)
				})
				if err != context.Canceled {
					t.Errorf("Wait: %v", err)
				}
			}
			err := o.Run(context.Background(), func(ctx context.Context) error {
				begin(ctx)
				reactor.Sleep(ctx, 5*time.Millisecond)
				c.Process.Kill()
				if err := c.Wait(ctx); !killed(err, syscall.SIGKILL) {
					t.Errorf("while the loop lasts, it is as any other: %v", err)
				}
				begin(ctx)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if err := c.Process.Kill(); err != nil {
				t.Errorf("it did not outlive the loop: %v", err)
			}
			gone(t, c.Process.Pid) // reaped, too
		})
	}
}

// A detached program's output is copied as long as the loop lasts.
func TestDetachedOutput(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("cat")
		c.Detached = true
		in, _ := c.StdinPipe()
		var out bytes.Buffer
		c.Stdout = &out
		err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			defer s.Cancel(nil)
			return c.Start(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		reactor.Sleep(ctx, 5*time.Millisecond)
		io.WriteString(in, "late")
		in.Close()
		if err := c.Wait(ctx); err != nil || out.String() != "late" {
			t.Errorf("got %q, %v", &out, err)
		}
	})
}
