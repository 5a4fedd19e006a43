package reactor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	runtrace "runtime/trace"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// A traceEvent is an event of a task or region in a trace of the runtime.
type traceEvent struct{ goroutine, kind, id, parent, sort string }

var traceLine = regexp.MustCompile(`G=(\S+) (TaskBegin|TaskEnd|RegionBegin|RegionEnd) .*?(?:ID|Task)=(\d+)(?: Parent=(\d+))? Type="([^"]*)"`)

// traced returns the tasks and regions in a trace of the runtime that f begins by start.
func traced(t *testing.T, f func(start func())) (events []traceEvent) {
	t.Helper()
	if runtrace.IsEnabled() {
		t.Skip("a trace is being taken")
	}
	var b bytes.Buffer
	f(func() {
		if err := runtrace.Start(&b); err != nil {
			t.Fatal(err)
		}
	})
	runtrace.Stop()
	file := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "tool", "trace", "-d=parsed", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if m := traceLine.FindStringSubmatch(line); m != nil {
			events = append(events, traceEvent{m[1], m[2], m[3], m[4], m[5]})
		}
	}
	return events
}

// In a trace of the runtime each task is a task, below its maker, and each wait a
// region of it, which begins and ends on one goroutine: though tasks share goroutines,
// are cancelled, or began before the trace. So are a task's regions of its own.
func TestTraceOfTheRuntimeHasTasksAndWaits(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(b)
	events := traced(t, func(start func()) {
		err := Run(context.Background(), func(ctx context.Context) error {
			var m Mutex
			m.Lock(ctx)
			old := Go(ctx, func(ctx context.Context) error {
				m.Lock(ctx)
				return Sleep(ctx, time.Millisecond)
			})
			old.SetName("old")
			Yield(ctx)
			start()
			Yield(ctx)
			Sleep(ctx, time.Millisecond)
			billing := Go(ctx, func(ctx context.Context) error {
				runtrace.WithRegion(ctx, "invoice", func() {})
				Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) }).SetName("kid")
				return Sleep(ctx, time.Millisecond)
			})
			billing.SetName("billing")
			reads := Go(ctx, func(ctx context.Context) error {
				var f core.FD
				if err := f.OpenKind(ctx, a, &core.FDKind{Close: unix.Close}); err != nil {
					return err
				}
				defer f.Close()
				return f.WaitRead()
			})
			reads.SetName("reads")
			for range 3 {
				Go(ctx, func(ctx context.Context) error { return Yield(ctx) }).Wait(ctx)
			}
			m.Unlock()
			old.Wait(ctx)
			billing.Wait(ctx)
			unix.Write(b, []byte("x"))
			return reads.Wait(ctx)
		})
		if err != nil {
			t.Error(err)
		}
	})
	ids, open := make(map[string]string), make(map[string][]traceEvent)
	var seen []string
	for _, e := range events {
		switch e.kind {
		case "TaskBegin":
			ids[e.sort] = e.id
			seen = append(seen, e.sort)
			if want := map[string]string{"kid": "billing", "billing": "reactor.TestTraceOfTheRuntimeHasTasksAndWaits.func1.1"}[e.sort]; want != "" && e.parent != ids[want] {
				t.Errorf("%s is below %s, not below %s", e.sort, e.parent, want)
			}
		case "RegionBegin":
			open[e.goroutine] = append(open[e.goroutine], e)
			for name, id := range ids {
				if id == e.id {
					seen = append(seen, name+": "+e.sort)
				}
			}
		case "RegionEnd":
			was := open[e.goroutine]
			if len(was) == 0 || was[len(was)-1].id != e.id || was[len(was)-1].sort != e.sort {
				t.Fatalf("%+v ends, but open are %+v", e, was)
			}
			open[e.goroutine] = was[:len(was)-1]
		case "TaskEnd":
			seen = append(seen, e.sort+" ends")
		}
	}
	for g, left := range open {
		if len(left) > 0 {
			t.Errorf("on goroutine %s %+v do not end", g, left)
		}
	}
	for _, want := range []string{"billing", "billing: invoice", "kid: a sleep to end", "billing: a sleep to end", "reads: read", "reads ends", "billing ends", "kid ends",
		"reactor.TestTraceOfTheRuntimeHasTasksAndWaits.func1.1: a task", "old: a sleep to end", "old ends"} {
		if !slices.Contains(seen, want) {
			t.Errorf("%q is missing in %q", want, seen)
		}
	}
}

// A CPU profile can be split by the tasks' names.
func TestProfileIsSplitByTask(t *testing.T) {
	dir := t.TempDir()
	for tries := 1; ; tries++ {
		file := filepath.Join(dir, "cpu")
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			t.Skip(err)
		}
		err = Options{TaskLabels: true}.Run(context.Background(), func(ctx context.Context) error {
			Go(ctx, burn).SetName("billing")
			return Go(ctx, burn).Wait(ctx)
		})
		pprof.StopCPUProfile()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("go", "tool", "pprof", "-tags", file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(string(out), " task: ") && strings.Contains(string(out), "billing") && strings.Contains(string(out), "reactor.burn") {
			return
		}
		if tries == 50 {
			t.Fatalf("the profile has\n%s", out)
		}
	}
}

func burn(ctx context.Context) error {
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
	}
	return nil
}

// The label of a task is that of its name, is part of its ctx, goes to its threads, and
// does not outlive it; what is made in it has its own.
func TestTaskLabels(t *testing.T) {
	o := Options{TaskLabels: true}
	label := func() string {
		var b bytes.Buffer
		pprof.Lookup("goroutine").WriteTo(&b, 1)
		for group := range strings.SplitSeq(b.String(), "\n\n") {
			if strings.Contains(group, "TestTaskLabels.func1") {
				_, labels, _ := strings.Cut(group, "# labels: ")
				labels, _, _ = strings.Cut(labels, "\n")
				return labels
			}
		}
		return "none"
	}
	err := o.Run(pprof.WithLabels(context.Background(), pprof.Labels("user", "u")), func(ctx context.Context) error {
		check := func(what, want string) {
			t.Helper()
			if got := label(); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		check("main", `{"task":"reactor.TestTaskLabels.func2", "user":"u"}`)
		named := Go(ctx, func(ctx context.Context) error {
			var kid *Task[struct{}]
			check("a task", `{"task":"billing", "user":"u"}`)
			pprof.Do(ctx, pprof.Labels("part", "p"), func(ctx context.Context) {
				check("Do", `{"part":"p", "task":"billing", "user":"u"}`)
				kid = Go(ctx, func(context.Context) error {
					check("a child", `{"part":"p", "task":"kid", "user":"u"}`)
					return nil
				})
				kid.SetName("kid")
			})
			check("after Do", `{"task":"billing", "user":"u"}`)
			Current(ctx).SetName("other")
			check("a new name", `{"task":"other", "user":"u"}`)
			kid.Wait(ctx) // else it runs beside the thread, and label finds either
			_, err := ToThread(ctx, func(context.Context) (int, error) {
				check("a thread", `{"task":"other", "user":"u"}`)
				return 0, nil
			})
			return err
		})
		named.SetName("billing")
		named.Wait(ctx)
		check("main, later", `{"task":"reactor.TestTaskLabels.func2", "user":"u"}`)
		LoopOf(ctx).CallSoon(func() { check("a callback", "") })
		return Yield(ctx)
	})
	if err != nil {
		t.Error(err)
	}
}

// Pooled coroutines have no labels of the tasks that they ran.
func TestPooledCoroutinesHaveNoLabels(t *testing.T) {
	err := Options{TaskLabels: true}.Run(context.Background(), func(ctx context.Context) error {
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			for range 10 {
				g.Go(func(ctx context.Context) error { return Sleep(ctx, time.Microsecond) }).SetName("gone")
			}
			return nil
		})
		if n := LoopOf(ctx).Metrics().Pooled; n < 10 {
			t.Errorf("%d are pooled", n)
		}
		var b bytes.Buffer
		pprof.Lookup("goroutine").WriteTo(&b, 1)
		if strings.Contains(b.String(), `"gone"`) {
			t.Errorf("the goroutines are\n%s", &b)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// In a goroutine profile the tasks of a function that wait for the same are two groups
// at most, because package iter has two places to sleep at; go tool pprof makes them one.
func TestGoroutineProfileGroupsTasks(t *testing.T) {
	const n = 200
	err := Run(context.Background(), func(ctx context.Context) error {
		var e, brief Event
		defer e.Set()
		for range n {
			Go(ctx, func(ctx context.Context) error { return sleepsForever(ctx, &e) })
			for range 10 { // more than are pooled: coroutines end, and others pass control on
				Go(ctx, func(ctx context.Context) error { return brief.Wait(ctx) })
			}
		}
		Yield(ctx)
		Yield(ctx)
		brief.Set()
		for range 10 {
			Sleep(ctx, time.Microsecond)
		}
		var b bytes.Buffer
		pprof.Lookup("goroutine").WriteTo(&b, 1)
		groups, sum := 0, 0
		_, text, _ := strings.Cut(b.String(), "\n") // after the total
		for group := range strings.SplitSeq(text, "\n\n") {
			if strings.Contains(group, "reactor.sleepsForever") {
				var count int
				fmt.Sscanf(group, "%d @", &count)
				groups, sum = groups+1, sum+count
			}
		}
		if groups > 2 || sum != n {
			t.Errorf("%d tasks in %d groups:\n%s", sum, groups, &b)
		}
		file := filepath.Join(t.TempDir(), "goroutines")
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		pprof.Lookup("goroutine").WriteTo(f, 0)
		f.Close()
		out, err := exec.Command("go", "tool", "pprof", "-top", "-cum", "-nodecount=100000", "-nodefraction=0", file).CombinedOutput()
		if !regexp.MustCompile(`(?m)^ +0 +0% +\S+ +200 +\S+ +\S+reactor\.sleepsForever$`).Match(out) {
			t.Errorf("%v\n%s", err, out)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

//go:noinline
func sleepsForever(ctx context.Context, e *Event) error { return e.Wait(ctx) }
