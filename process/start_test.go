package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

func TestStartErrors(t *testing.T) {
	run(t, func(ctx context.Context) {
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		here := child("true")
		here.Dir = "/no/such"
		file, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		file.Close() // not executable
		set := child("cat")
		set.StdinPipe()
		set.Stdin = strings.NewReader("")
		out := child("cat")
		out.StderrPipe()
		out.Stderr = new(bytes.Buffer)
		for _, c := range []struct {
			ctx  context.Context
			cmd  *Cmd
			want error
		}{
			{ctx, Command("no-such-program-anywhere"), exec.ErrNotFound},
			{ctx, Command("/no/such"), os.ErrNotExist},
			{ctx, here, os.ErrNotExist},
			{ctx, Command(file.Name()), os.ErrPermission},
			{canceled, child("true"), context.Canceled},
			{ctx, &Cmd{}, nil},
			{ctx, set, nil},
			{ctx, out, nil},
		} {
			var errs bytes.Buffer
			if c.cmd.Stderr == nil {
				c.cmd.Stderr = &errs
			}
			err := c.cmd.Run(c.ctx)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%q: %v, want %v", c.cmd.Args, err, c.want)
			}
			if c.cmd.Process != nil || !errors.Is(c.cmd.Wait(ctx), errNotStarted) {
				t.Errorf("%q: started after all", c.cmd.Args)
			}
		}
	})
}

func TestOnlyOnce(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("say", "out", "err", "0")
		r, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.StdoutPipe(); err == nil {
			t.Error("two StdoutPipes")
		}
		if _, err := c.Output(ctx); err == nil {
			t.Error("Output despite a StdoutPipe")
		}
		if _, err := c.CombinedOutput(ctx); err == nil {
			t.Error("CombinedOutput despite a StdoutPipe")
		}
		c.Stdin = os.Stdin
		if _, err := c.StdinPipe(); err == nil {
			t.Error("a StdinPipe despite a Stdin")
		}
		if _, _, err := c.Communicate(ctx, nil); err == nil {
			t.Error("Communicate despite a Stdin")
		}
		c.Stdin = nil
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		if err := c.Start(ctx); !errors.Is(err, errStarted) {
			t.Errorf("a second Start: %v", err)
		}
		if _, err := c.StderrPipe(); !errors.Is(err, errStarted) {
			t.Errorf("a pipe after Start: %v", err)
		}
		r.Close()
	})
}

func TestEnvironment(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("where", "a", "b c")
		c.Dir = "/"
		c.Env = append(c.Env, "EDDY_X=y")
		out, err := c.Output(ctx)
		if string(out) != "/\ny\na|b c" || err != nil {
			t.Errorf("got %q, %v", out, err)
		}

		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w.WriteString("inherited")
		w.Close()
		c = child("descriptor")
		c.ExtraFiles = []*os.File{r}
		if out, err := c.Output(ctx); string(out) != "inherited" || err != nil {
			t.Errorf("got %q, %v", out, err)
		}
	})
}

// Files are passed to the program, and stay open.
func TestFiles(t *testing.T) {
	run(t, func(ctx context.Context) {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c := child("say", "out,", "err", "0")
		c.Stdout, c.Stderr = f, f
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		f.Seek(0, 0)
		c = child("cat")
		c.Stdin = f
		if out, err := c.Output(ctx); string(out) != "out,err" || err != nil {
			t.Errorf("got %q, %v", out, err)
		}
	})
}

// everything returns a command that needs all three pipes.
func everything() *Cmd {
	c := child("cat")
	c.StdinPipe()
	c.Stdout, c.Stderr = new(bytes.Buffer), incomparable{func([]byte) {}}
	return c
}

// Each registration with the poller can fail, and descriptors can run out at
// any point: everything made before is released.
func TestStartFailsMidway(t *testing.T) {
	for nth := range 4 {
		p := &pickyPoller{Poller: newPoller(t)}
		adds := 0
		p.refuse = func(int) error {
			if adds++; adds == nth+1 {
				return syscall.ENOSPC
			}
			return nil
		}
		runWith(t, reactor.Options{Poller: p}, func(ctx context.Context) {
			fds := len(testkit.Holdings().FDs)
			err := everything().Start(ctx)
			if failed := nth < 3; failed != errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Start, when registration %d fails: %v", nth, err)
			} else if n := len(testkit.Holdings().FDs); failed && n != fds {
				t.Errorf("%d fds, were %d before a Start that failed at registration %d", n, fds, nth)
			}
		})
	}
}

func TestOutOfDescriptors(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	failures := 0
	run(t, func(ctx context.Context) {
		// Resources that the first process opens exist before the count.
		if err := child("true").Run(ctx); err != nil {
			t.Fatal(err)
		}
		next, err := syscall.Dup(0) // the lowest free number
		if err != nil {
			t.Fatal(err)
		}
		syscall.Close(next)
		for spare := range 16 {
			limit := before
			limit.Cur = limitOf(next + spare)
			fds := testkit.Holdings().FDs
			c := everything()
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				t.Fatal(err)
			}
			err := c.Start(ctx)
			syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
			if err == nil {
				c.Process.Kill()
				c.Wait(ctx)
				c.stdin.Close()
				continue
			}
			failures++
			if !errors.Is(err, syscall.EMFILE) {
				t.Errorf("with %d to spare: %v", spare, err)
			}
			if now := testkit.Holdings().FDs; fmt.Sprint(now) != fmt.Sprint(fds) {
				t.Errorf("with %d to spare: fds %v, were %v", spare, now, fds)
			}
		}
	})
	if failures < 6 || failures == 16 {
		t.Errorf("failed %d times of 16: this was no test", failures)
	}
}
