package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit/programs"
	"github.com/eddyio/eddy/reactor"
)

func TestMain(m *testing.M) { programs.Main(m, main) }

func TestArguments(t *testing.T) {
	three := "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3"
	for _, c := range []struct {
		nodes string
		node  int
		store string
		args  []string
		want  string
	}{
		{"", 0, "", []string{"get"}, "-nodes must have 3 addresses"},
		{"a:1,b:2", 1, "f", nil, "-nodes must have 3 addresses"},
		{"a:1,b:2,", 1, "f", nil, "-nodes must have 3 addresses"},
		{three, 4, "f", nil, "-node=4: it must be from 1 to 3"},
		{three, -1, "f", nil, "-node=-1: it must be from 1 to 3"},
		{three, 1, "", nil, "-store"},
		{three, 1, "f", []string{"inc"}, `unexpected argument "inc"`},
		{three, 0, "", nil, "inc or get"},
		{three, 0, "", []string{"add"}, "inc or get"},
		{three, 0, "", []string{"inc", "inc"}, "inc or get"},
		{three, 1, "f", nil, ""},
		{three, 0, "", []string{"get"}, ""},
	} {
		run, err := program(strings.Split(c.nodes, ","), c.node, c.store, time.Second, c.args)
		switch {
		case c.want == "" && (err != nil || run == nil):
			t.Errorf("%+v: %v", c, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	f := &file{path}
	err := reactor.Run(t.Context(), func(ctx context.Context) error {
		if r, err := f.load(ctx); err != nil || r != (record{}) {
			t.Error("of no file:", r, err)
		}
		for _, r := range []record{{7, state{4, 12, 99}}, {8, state{8, 1, 0}}} {
			if err := f.save(ctx, r); err != nil {
				t.Error(err)
			}
			if got, err := f.load(ctx); err != nil || got != r {
				t.Error(got, err)
			}
		}
		os.WriteFile(path, []byte("shopping list"), 0o666)
		if _, err := f.load(ctx); err == nil || !strings.Contains(err.Error(), path) {
			t.Error("of another file:", err)
		}
		f.path = filepath.Join(path, "below", "a file")
		if err := f.save(ctx, record{}); err == nil {
			t.Error("no error")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestProcesses runs three nodes on this machine, and clients. It takes as long
// as starting nodes wait.
func TestProcesses(t *testing.T) {
	dir := t.TempDir()
	addrs := strings.Join(free(t, nodes), ",")
	var running []*exec.Cmd
	for i := range nodes {
		cmd := programs.Command(t, "-nodes", addrs, "-node", fmt.Sprint(i+1), "-store", filepath.Join(dir, fmt.Sprint(i)))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		running = append(running, cmd)
	}
	for i, request := range []string{"inc", "inc", "get"} {
		out, err := programs.Command(t, "-nodes", addrs, "-patience", "30s", request).CombinedOutput()
		if want := fmt.Sprintln(min(i+1, 2)); err != nil || string(out) != want {
			t.Fatalf("%s: %q, %v, want %s", request, out, err, want)
		}
	}
	for _, cmd := range running {
		cmd.Process.Signal(os.Interrupt)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error("after an interrupt:", err)
		}
	}
	out, err := programs.Command(t, "-nodes", addrs, "-patience", "100ms", "get").CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "no node leads") {
		t.Errorf("without nodes: %v, %s", err, out)
	}
}

// free returns addresses without a listener.
func free(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs
}
