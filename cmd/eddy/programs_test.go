package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/inspect"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// programVariable has this test be a program whose loop stands, in a way that it names.
const programVariable = "EDDY_TEST_STANDS"

func init() {
	if how := os.Getenv(programVariable); how != "" {
		if err := program(how); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// stands are ways to keep a loop from taking turns. Each prints where it does, just before.
var stands = map[string]func(){
	"channel": func() {
		c := make(chan int)
		here()
		<-c
	},
	"mutex": func() {
		var mu sync.Mutex
		mu.Lock()
		here()
		mu.Lock()
	},
	"endless loop": func() {
		var n atomic.Uint64
		here()
		for n.Add(1) > 0 {
		}
	},
}

// program runs a loop with some tasks, of which the one called culprit stands when a
// line comes in.
func program(how string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(ln, inspect.Handler())
	fmt.Println(ln.Addr())
	told := make(chan bool)
	go func() {
		bufio.NewReader(os.Stdin).ReadString('\n')
		close(told)
	}()
	return reactor.Run(context.Background(), func(ctx context.Context) error {
		reactor.Current(ctx).SetName("main")
		var m reactor.Mutex
		m.Lock(ctx)
		reactor.Go(ctx, m.Lock).SetName("locker\x1b[2J")
		culprit := reactor.Go(ctx, func(ctx context.Context) error {
			if _, _, err := reactor.Receive(ctx, told); err != nil {
				return err
			}
			stands[how]()
			return nil
		})
		culprit.SetName("culprit")
		return culprit.Wait(ctx)
	})
}

// here prints the line that follows the caller's.
func here() {
	_, file, line, _ := runtime.Caller(1)
	fmt.Printf("%s:%d\n", file, line+1)
}

// A loop that stands is seen from another process, with the line of code.
func TestStandingProgram(t *testing.T) {
	for how := range stands {
		t.Run(how, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), programVariable+"="+how)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
			out := bufio.NewScanner(stdout)
			if !out.Scan() {
				t.Fatal("the program prints no address")
			}
			address := out.Text()

			eventually(t, "pstree", address, "main #1 waits ", " for task 3 (culprit)", "├─ ", `locker\u001b[2J #2 waits `, "a mutex held by task 1 (main)", "└─ culprit #3 waits")
			trace, errors, status := eddy(t, nil, "trace", "-seconds", "0.1", address)
			if status != 0 || !json.Valid([]byte(trace)) || !strings.Contains(trace, "traceEvents") {
				t.Errorf("a trace: status %d, %q, %.200s", status, errors, trace)
			}
			fmt.Fprintln(in)
			if !out.Scan() {
				t.Fatal("the program does not say where it stands")
			}
			line := out.Text()
			for _, what := range []string{"pstree", "ps"} {
				eventually(t, what, address, "THE LOOP STANDS for ", "task 3 (culprit) keeps its thread, here:", line+"\n", "culprit")
			}
			tree := eventually(t, "pstree", address, "culprit #3 HOLDS UP THE LOOP")
			if strings.Contains(tree, "runtime.gopark") {
				t.Errorf("the stack is one of the runtime:\n%s", tree)
			}
		})
	}
}

// eventually asks a program until the answer has all parts in this order.
func eventually(t *testing.T, what, address string, parts ...string) (answer string) {
	t.Helper()
	deadline := time.Now().Add(testkit.Patience)
	for {
		out, errors, status := eddy(t, nil, what, address)
		if status != 0 {
			t.Fatal(errors)
		}
		rest, found := out, true
		for _, part := range parts {
			if _, rest, found = strings.Cut(rest, part); !found {
				break
			}
		}
		if found {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q are not in the answer, in this order:\n%s", parts, out)
		}
	}
}
