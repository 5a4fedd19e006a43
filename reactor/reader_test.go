package reactor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// readByte takes one byte from fd, or none.
func readByte(fd int) string {
	var p [1]byte
	n, _ := unix.Read(fd, p[:])
	return string(p[:max(0, n)])
}

// asyncio's case 85: as long as there is something to read the reader is called
// in each turn, once; it can be replaced, and removed once.
func TestAddReader(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var got []string
		var turns []int
		turn := 0
		if err := Facade(l).AddReader(a, func() { t.Error("the replaced one was called") }); err != nil {
			return err
		}
		if err := Facade(l).AddReader(a, func() {
			got, turns = append(got, readByte(a)), append(turns, turn)
			checkNow(t, l)
		}); err != nil {
			return err
		}
		send(t, b, "xyz")
		for ; turn < 6; turn++ {
			Yield(ctx)
		}
		if !slices.Equal(got, []string{"x", "y", "z"}) || turns[1] != turns[0]+1 || turns[2] != turns[1]+1 {
			t.Errorf("read %q in turns %v", got, turns)
		}
		if !Facade(l).RemoveReader(a) || Facade(l).RemoveReader(a) || Facade(l).RemoveWriter(a) || l.Holdings().FDWaits != 0 || l.Holdings().FDs != 0 {
			t.Error("RemoveReader is wrong")
		}
		send(t, b, "!")
		yields(ctx, 3)
		if len(got) != 3 {
			t.Error("called after it was removed")
		}
		return nil
	})
}

// If nothing else is ready the loop sleeps until there is something to read,
// and is not deadlocked meanwhile.
func TestAddReaderWakesTheLoop(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var e Event
		Facade(l).AddReader(a, e.Set)
		time.AfterFunc(time.Millisecond, func() { unix.Write(b, []byte("x")) })
		err := e.Wait(ctx)
		Facade(l).RemoveReader(a)
		return err
	})
}

func TestRemoveReaderInside(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	var tr trace
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		Facade(l).AddReader(a, func() {
			tr.add("first %v %v", Facade(l).RemoveReader(a), Facade(l).RemoveReader(a))
			Facade(l).AddReader(a, func() {
				tr.add("second")
				readByte(a)
			})
		})
		send(t, b, "x")
		yields(ctx, 5)
		tr.add("%v %d", Facade(l).RemoveReader(a), l.Holdings().FDWaits)
		return nil
	})
	tr.want(t, "first true false second true 0")
}

// An event that is queued already finds its reader removed, or replaced.
func TestRemoveReaderWhileQueued(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	for _, then := range []string{"nothing", "replaced", "added again"} {
		runReal(t, func(ctx context.Context) error {
			l := core.Nearest(ctx).Loop()
			x := 0
			Facade(l).AddReader(a, func() { t.Error(then + ": the removed one was called") })
			send(t, b, "x")
			Yield(ctx) // the event comes in, and its callback is queued
			if l.Holdings().Ready != 1 {
				t.Fatalf("%d are queued", l.Holdings().Ready)
			}
			if then != "replaced" && !Facade(l).RemoveReader(a) {
				t.Error("not there")
			}
			if then != "nothing" {
				Facade(l).AddReader(a, func() { x++; readByte(a) })
			}
			yields(ctx, 4)
			if want := then != "nothing"; (x == 1) != want || Facade(l).RemoveReader(a) != want || l.Holdings().FDs != 0 || l.Holdings().FDWaits != 0 {
				t.Errorf("%s: called %d times, %d fds", then, x, l.Holdings().FDs)
			}
			readByte(a)
			return nil
		})
	}
}

func TestAddWriter(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		calls := 0
		Facade(l).AddWriter(a, func() {
			if calls++; calls == 3 {
				Facade(l).RemoveWriter(a)
			}
		})
		yields(ctx, 8)
		if calls != 3 {
			t.Errorf("called %d times while writable", calls)
		}
		for n := 1; n > 0; { // until the buffers are full
			n, _ = unix.Write(a, make([]byte, 1<<16))
		}
		Facade(l).AddWriter(a, func() { calls++ })
		yields(ctx, 4)
		if calls != 3 {
			t.Error("called while not writable")
		}
		Facade(l).RemoveWriter(a)
		return nil
	})
}

// A reader and a writer on one fd do not disturb each other, nor a task that
// waits for it.
func TestReaderAndWriterOnOneFD(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		reads, writes := "", 0
		Facade(l).AddReader(a, func() { reads += readByte(a) })
		Facade(l).AddWriter(a, func() { writes++ })
		waiting := GoNow(ctx, func(ctx context.Context) error { return WaitReadable(ctx, a) })
		yields(ctx, 4)
		if reads != "" || writes < 3 || waiting.Finished() {
			t.Errorf("before: read %q, %d writes", reads, writes)
		}
		send(t, b, "xy")
		yields(ctx, 4)
		if reads != "xy" || writes < 6 || !waiting.Finished() {
			t.Errorf("after: read %q, %d writes", reads, writes)
		}
		Facade(l).RemoveWriter(a)
		writes = 0
		send(t, b, "z")
		yields(ctx, 4)
		if reads != "xyz" || writes != 0 {
			t.Errorf("the writer removed: read %q, %d writes", reads, writes)
		}
		Facade(l).RemoveReader(a)
		return waiting.Wait(ctx)
	})
}

// A panic in the callback is reported, and the reader stays.
func TestAddReaderThatPanics(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	var told reports
	setup{Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		got := ""
		Facade(l).AddReader(a, func() {
			if got += readByte(a); got == "x" {
				panic(errBoom)
			}
		})
		send(t, b, "xy")
		yields(ctx, 5)
		if got != "xy" || !Facade(l).RemoveReader(a) {
			t.Errorf("read %q", got)
		}
		return nil
	})
	if len(told) != 1 || !errors.Is(told[0].Err, errBoom) {
		t.Errorf("told %v", told)
	}
}

// The fd is closed under its reader, and its number becomes that of an FD: the
// reader gets no events of the new one, and is dropped.
func TestAddReaderOfAnFDThatIsReused(t *testing.T) {
	for _, queued := range []bool{false, true} {
		a, b := testkit.SocketPair(t)
		c, d := testkit.SocketPair(t)
		runReal(t, func(ctx context.Context) error {
			l := core.Nearest(ctx).Loop()
			if err := Facade(l).AddReader(a, func() { t.Error("called for another's fd") }); err != nil {
				return err
			}
			if queued {
				send(t, b, "x")
				Yield(ctx)
			}
			unix.Close(a)
			if err := takeNumber(c, a); err != nil {
				return err
			}
			unix.Close(c)
			var f core.FD
			if err := f.OpenKind(ctx, a, &core.FDKind{Close: unix.Close}); err != nil {
				return err
			}
			send(t, d, "y")
			if err := f.WaitRead(); err != nil || readByte(a) != "y" {
				t.Errorf("queued %v: the FD: %v", queued, err)
			}
			yields(ctx, 3)
			if Facade(l).RemoveReader(a) || l.Holdings().FDWaits != 0 || l.Holdings().FDs != 1 {
				t.Errorf("queued %v: a reader is left; %d waits, %d fds", queued, l.Holdings().FDWaits, l.Holdings().FDs)
			}
			return f.Close()
		})
		unix.Close(b)
		unix.Close(d)
	}
}

// End of file and a closed fd: the first stays readable, the second ends the
// reader at its next call.
func TestAddReaderAtEndOfFile(t *testing.T) {
	a, b := testkit.SocketPair(t)
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		calls := 0
		Facade(l).AddReader(a, func() {
			if calls++; calls == 3 {
				unix.Close(a)
			}
		})
		unix.Close(b)
		yields(ctx, 8)
		if calls != 3 || Facade(l).RemoveReader(a) || l.Holdings().FDWaits != 0 || l.Holdings().FDs != 0 {
			t.Errorf("%d calls, %d waits, %d fds", calls, l.Holdings().FDWaits, l.Holdings().FDs)
		}
		return nil
	})
}

func TestAddReaderRefuses(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		for _, fd := range []int{-1, int(file.Fd())} {
			if Facade(l).AddReader(fd, func() {}) == nil || Facade(l).AddWriter(fd, func() {}) == nil || Facade(l).RemoveReader(fd) {
				t.Errorf("fd %d can be polled", fd)
			}
		}
		f, peer := openPair(t, ctx)
		defer unix.Close(peer)
		if Facade(l).AddReader(f.Sysfd(), func() {}) == nil {
			t.Error("an FD's fd has a reader")
		}
		wantPanic(t, "nil function", func() { Facade(l).AddReader(0, nil) })
		for i, f := range []func(){
			func() { Facade(l).AddReader(0, func() {}) }, func() { Facade(l).AddWriter(0, func() {}) },
			func() { Facade(l).RemoveReader(0) }, func() { Facade(l).RemoveWriter(0) },
		} {
			if elsewhere(f) == "" {
				t.Errorf("%d: no panic on another goroutine", i)
			}
		}
		if l.Holdings().FDWaits != 0 || l.Holdings().FDs != 1 {
			t.Error(fmt.Sprint(l.Holdings().FDWaits, l.Holdings().FDs))
		}
		return f.Close()
	})
}

// A remaining reader does not keep the loop from ending, and leaks nothing.
func TestAddReaderAtTheLoopsEnd(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	defer testkit.LeakCheck(t)()
	if err := Run(context.Background(), func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		send(t, b, "x")
		Facade(l).AddReader(a, func() {})
		return Facade(l).AddWriter(a, func() {})
	}); err != nil {
		t.Error(err)
	}
}
