//go:build !race && amd64 && !kqueue_model && !coro_nested

package net

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// TestStackOfAnIdleConnection: one that is idle in io.Copy, after an echo, or that
// is asleep, has the stack of two kilobytes that a coroutine begins with. What is
// called between a task and its switch, and between a task and its read or
// write, is kept shallow for that. The runtime may begin with more, if other
// goroutines have needed more, so this is asked in a process of its own.
func TestStackOfAnIdleConnection(t *testing.T) {
	if os.Getenv("EDDY_TEST_STACK") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStackOfAnIdleConnection$", "-test.v")
		cmd.Env = append(os.Environ(), "EDDY_TEST_STACK=1", "GODEBUG=adaptivestackstart=0")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	const n = 500
	for name, handler := range map[string]func(ctx context.Context, c Conn) error{
		"copying": echo,
		"asleep":  func(ctx context.Context, c Conn) error { c.Write([]byte("hello")); return reactor.Sleep(ctx, patience) },
	} {
		run(t, func(ctx context.Context) {
			v := serve(t, ctx, &Server{Grace: -1}, handler)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for range n {
				c, err := Dial(ctx, "tcp", v.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				c.Write([]byte("hello"))
				c.Read(make([]byte, 5))
			}
			runtime.ReadMemStats(&after)
			if each := (int(after.StackInuse) - int(before.StackInuse)) / n; each > 3000 {
				t.Errorf("%s: %d bytes of stack for each connection", name, each)
			}
			v.stop()
			v.end(t, ctx, nil)
		})
	}
}
