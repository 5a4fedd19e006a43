package reactor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/chrome"
	"github.com/eddyio/eddy/reactor/core"
)

// written returns what WriteTrace writes.
func written(t testing.TB, d time.Duration) []chrome.Event {
	t.Helper()
	var b bytes.Buffer
	if err := WriteTrace(&b, d); err != nil {
		t.Fatal(err)
	}
	return chrome.Read(t, b.Bytes())
}

// wantLines fails the test unless each line is in the summary of what was recorded.
func wantLines(t testing.TB, events []chrome.Event, want ...string) {
	t.Helper()
	got := chrome.Summary(events)
	for _, line := range want {
		if !slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, line) }) {
			t.Errorf("%q is not in\n%s", line, strings.Join(got, "\n"))
		}
	}
}

func waitsForEvent(ctx context.Context, e *Event) error { return e.Wait(ctx) }

// What tasks do is in the record: when they run, are ready and wait, what for, and what
// woke them, to the nanosecond.
func TestRecordOfTasks(t *testing.T) {
	v := newWorld(t)
	err := (setup{world: v, Options: Options{Record: 1 << 20}}).run(t, func(ctx context.Context) error {
		Current(ctx).SetName("boss")
		var e Event
		work := Go(ctx, func(ctx context.Context) error {
			Current(ctx).SetName("worker")
			v.Advance(2 * time.Millisecond)
			return waitsForEvent(ctx, &e)
		})
		Sleep(ctx, 10*time.Millisecond)
		v.Advance(3 * time.Millisecond)
		e.Set()
		work.Wait(ctx)
		Go(ctx, func(context.Context) error { return errors.New("no") }).Wait(ctx)
		var c Future[int]
		LoopOf(ctx).CallSoon(func() { v.Advance(time.Millisecond); c.SetResult(1) })
		c.Await(ctx)
		LoopOf(ctx).Post(func() {})
		Yield(ctx)
		events := written(t, 0)
		wantLines(t, events,
			"0 X task 1 (boss): runs for 0, then waits for a sleep to end",
			"0 X task 2 (worker): runs for 2, then waits for an event",
			"2 X task 2 (worker): waits for an event for 8",
			"0 X task 1 (boss): waits for a sleep to end for 10",
			"10 s the loop: timer", "10 f task 1 (boss): timer",
			"10 X task 1 (boss): runs for 3, then waits for task 2 (worker)",
			"10 s task 1 (boss): done",
			"10 X task 2 (worker): is ready for 3",
			"13 f task 2 (worker): done",
			"13 X task 2 (worker): runs for 0, then ends with nil",
			"13 X task 3 (reactor.TestRecordOfTasks.func1.2): runs for 0, then ends with an error",
			"13 X the loop: a callback for 1",
			"13 X task 1 (boss): waits for a future for ",
			"14 i the loop: calls from other goroutines",
			"14 X task 1 (boss): runs for 0, then it has not ended",
			"2 X the loop: sleeps for 8",
		)
		for _, e := range events {
			if e.Ph == "M" && e.Name == "process_name" && !strings.Contains(e.Args["name"].(string), "loop ") {
				t.Errorf("the loop is called %q", e.Args["name"])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A task that runs when another is made a task eagerly, or goes on as a connection's,
// is taken for what it is.
func TestRecordOfEagerTask(t *testing.T) {
	v := newWorld(t)
	err := (setup{world: v, Options: Options{Record: 1 << 20}}).run(t, func(ctx context.Context) error {
		task := GoNow(ctx, func(ctx context.Context) error {
			v.Advance(time.Millisecond)
			return Sleep(ctx, time.Millisecond)
		})
		v.Advance(time.Millisecond)
		task.Wait(ctx)
		wantLines(t, written(t, 0),
			"0 X task 1 (reactor.setup.run.func2): runs for 0, then lets others run",
			"0 X task 2 (reactor.TestRecordOfEagerTask.func1.1): runs for 1, then waits for a sleep to end",
			"1 X task 1 (reactor.setup.run.func2): runs for 1, then waits for task 2 (",
		)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What the kernel reports wakes tasks, with the real clock and poller. A dormant task is
// a connection.
func TestRecordOfDescriptors(t *testing.T) {
	err := (setup{Options: Options{Record: 1 << 20}}).run(t, func(ctx context.Context) error {
		a, b := testkit.SocketPair(t)
		var f core.FD
		if err := f.OpenKind(ctx, a, &core.FDKind{Close: closeFD}); err != nil {
			return err
		}
		defer f.Close()
		reads := Go(ctx, func(ctx context.Context) error { Current(ctx).SetName("reader"); return f.WaitRead() })
		Sleep(ctx, time.Millisecond)
		send(t, b, "x")
		if err := reads.Wait(ctx); err != nil {
			return err
		}
		fd := f.String()
		wantLines(t, written(t, time.Minute),
			"task 2 (reader): waits for read of "+fd+" for ",
			"s the loop: done", "f task 2 (reader): done", "task 2 (reader): is ready for ",
			"the loop: sleeps for ",
		)
		unixClose(b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The record of a loop that stands can be written, and says what it stands in.
func TestRecordOfStandingLoop(t *testing.T) {
	err := (setup{Options: Options{Record: 64 << 10}}).run(t, func(ctx context.Context) error {
		Current(ctx).SetName("stands")
		Yield(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			time.Sleep(5 * time.Millisecond)
			wantLines(t, written(t, 0), "task 1 (stands): runs for ", "then it has not ended")
		}()
		<-done
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Copies are made on other goroutines while the loop writes.
func TestRecordIsCopiedWhileWritten(t *testing.T) {
	err := (setup{Options: Options{Record: 16 << 10}}).run(t, func(ctx context.Context) error {
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 10 {
				written(t, 0)
			}
			close(stop)
		}()
		var q Queue[int]
		Go(ctx, func(ctx context.Context) error {
			for {
				if _, err := q.Get(ctx); err != nil {
					return nil
				}
			}
		})
		for i := 0; ; i++ {
			select {
			case <-stop:
				<-done
				return nil
			default:
			}
			Go(ctx, func(ctx context.Context) error { return q.Put(ctx, i) })
			Yield(ctx)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A loop that does not record does so from StartRecording on, and until all who asked
// for it have had enough.
func TestStartRecording(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		if err := WriteTrace(io.Discard, 0); err != ErrNotRecording {
			t.Errorf("without a recorder: %v", err)
		}
		Current(ctx).SetName("early")
		stop, second := StartRecording(1<<20), StartRecording(1<<20)
		Sleep(ctx, time.Millisecond)
		wantLines(t, written(t, 0), "task 1 (early): ")
		stop()
		stop() // does nothing
		Yield(ctx)
		wantLines(t, written(t, 0), "task 1 (early): ")
		second()
		Yield(ctx)
		if err := WriteTrace(io.Discard, 0); err != ErrNotRecording {
			t.Errorf("after the last stop: %v", err)
		}
		return nil
	})
}

func TestRecordByEnvironment(t *testing.T) {
	for _, c := range []struct {
		env    string
		record int
		want   int
	}{
		{"", 0, 0}, {"1", 0, 1 << 20}, {"16", 0, 16 << 20}, {"0", 0, 0}, {"-1", 0, 0}, {"x", 0, 0}, {"2000000", 0, 0},
		{"1", -1, -1}, {"1", 5000, 5000},
	} {
		t.Setenv("EDDYRECORD", c.env)
		if got := (Options{Record: c.record}).recordBytes(); got != c.want {
			t.Errorf("EDDYRECORD=%s, Record %d: %d bytes", c.env, c.record, got)
		}
	}
}

// The recorder's memory is what was asked for, whatever happens.
func TestRecordMemory(t *testing.T) {
	const bytes = 4 << 20
	grown := func(record int) (n uint64) {
		err := (setup{Options: Options{Record: record}}).run(t, func(ctx context.Context) error {
			for i := range 2000 {
				task := Go(ctx, func(ctx context.Context) error { return nil })
				task.SetName(strings.Repeat("n", i))
				task.Wait(ctx)
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			n = m.HeapAlloc
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	off, on := grown(-1), grown(bytes)
	if more := int(on) - int(off); more < bytes/2 || more > bytes+2<<20 {
		t.Errorf("a recorder of %d bytes took %d", bytes, more)
	}
}

// Without a recorder, and with one, a yield and a wake allocate nothing.
func TestRecordAllocatesNothing(t *testing.T) {
	for _, record := range []int{-1, 1 << 20} {
		err := (setup{Options: Options{Record: record}}).run(t, func(ctx context.Context) error {
			var there, back Event
			Go(ctx, func(ctx context.Context) error {
				for there.Wait(ctx) == nil {
					there.Clear()
					back.Set()
				}
				return nil
			})
			around := func() {
				there.Set()
				back.Wait(ctx)
				back.Clear()
			}
			around()
			if n := testing.AllocsPerRun(1000, around); n != 0 {
				t.Errorf("Record %d: %v allocations", record, n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func unixClose(fd int) { os.NewFile(uintptr(fd), "").Close() }
