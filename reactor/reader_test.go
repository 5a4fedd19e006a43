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
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		var got []string
		var turns []int
		turn := 0
		if err := facadeOf(l).AddReader(a, func() { t.Error("the replaced one was called") }); err != nil {
			return err
		}
		if err := facadeOf(l).AddReader(a, func() {
			got, turns = append(got, readByte(a)), append(turns, turn)
			l.checkNow(t)
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
		if !facadeOf(l).RemoveReader(a) || facadeOf(l).RemoveReader(a) || facadeOf(l).RemoveWriter(a) || l.ioWaits != 0 || l.fds.n != 0 {
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

// With nobody else ready the loop sleeps until there is something to read, and
// is not deadlocked meanwhile.
func TestAddReaderWakesTheLoop(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		var e Event
		facadeOf(l).AddReader(a, e.Set)
		time.AfterFunc(time.Millisecond, func() { unix.Write(b, []byte("x")) })
		err := e.Wait(ctx)
		facadeOf(l).RemoveReader(a)
		return err
	})
}

func TestRemoveReaderInside(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	var tr trace
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		facadeOf(l).AddReader(a, func() {
			tr.add("first %v %v", facadeOf(l).RemoveReader(a), facadeOf(l).RemoveReader(a))
			facadeOf(l).AddReader(a, func() {
				tr.add("second")
				readByte(a)
			})
		})
		send(t, b, "x")
		yields(ctx, 5)
		tr.add("%v %d", facadeOf(l).RemoveReader(a), l.ioWaits)
		return nil
	})
	tr.want(t, "first true false second true 0")
}

// An event that is queued already finds its reader removed, or replaced.
func TestRemoveReaderWhileQueued(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	for _, then := range []string{"nothing", "replaced", "added again"} {
		runReal(t, func(ctx context.Context) error {
			l := nearest(ctx).loop
			x := 0
			facadeOf(l).AddReader(a, func() { t.Error(then + ": the removed one was called") })
			send(t, b, "x")
			l.turn() // the event comes in, and its callback is queued
			if l.ready.n != 1 {
				t.Fatalf("%d are queued", l.ready.n)
			}
			if then != "replaced" && !facadeOf(l).RemoveReader(a) {
				t.Error("not there")
			}
			if then != "nothing" {
				facadeOf(l).AddReader(a, func() { x++; readByte(a) })
			}
			yields(ctx, 4)
			if want := then != "nothing"; (x == 1) != want || facadeOf(l).RemoveReader(a) != want || l.fds.n != 0 || l.ioWaits != 0 {
				t.Errorf("%s: called %d times, %d fds", then, x, l.fds.n)
			}
			readByte(a)
			return nil
		})
	}
}

func TestAddWriter(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		calls := 0
		facadeOf(l).AddWriter(a, func() {
			if calls++; calls == 3 {
				facadeOf(l).RemoveWriter(a)
			}
		})
		yields(ctx, 8)
		if calls != 3 {
			t.Errorf("called %d times while writable", calls)
		}
		for n := 1; n > 0; { // until the buffers are full
			n, _ = unix.Write(a, make([]byte, 1<<16))
		}
		facadeOf(l).AddWriter(a, func() { calls++ })
		yields(ctx, 4)
		if calls != 3 {
			t.Error("called while not writable")
		}
		facadeOf(l).RemoveWriter(a)
		return nil
	})
}

// A reader and a writer on one fd do not disturb each other, nor a task that
// waits for it.
func TestReaderAndWriterOnOneFD(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		reads, writes := "", 0
		facadeOf(l).AddReader(a, func() { reads += readByte(a) })
		facadeOf(l).AddWriter(a, func() { writes++ })
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
		facadeOf(l).RemoveWriter(a)
		writes = 0
		send(t, b, "z")
		yields(ctx, 4)
		if reads != "xyz" || writes != 0 {
			t.Errorf("the writer removed: read %q, %d writes", reads, writes)
		}
		facadeOf(l).RemoveReader(a)
		return waiting.Wait(ctx)
	})
}

// A panic in the callback is reported, and the reader stays.
func TestAddReaderThatPanics(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	var told reports
	setup{Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		got := ""
		facadeOf(l).AddReader(a, func() {
			if got += readByte(a); got == "x" {
				panic(errBoom)
			}
		})
		send(t, b, "xy")
		yields(ctx, 5)
		if got != "xy" || !facadeOf(l).RemoveReader(a) {
			t.Errorf("read %q", got)
		}
		return nil
	})
	if len(told) != 1 || !errors.Is(told[0].Err, errBoom) {
		t.Errorf("told %v", told)
	}
}

// The fd is closed under its reader, and its number becomes that of an FD: the
// reader hears nothing of the new one, and is forgotten.
func TestAddReaderOfAnFDThatIsReused(t *testing.T) {
	for _, queued := range []bool{false, true} {
		a, b := socketPair(t)
		c, d := socketPair(t)
		runReal(t, func(ctx context.Context) error {
			l := nearest(ctx).loop
			if err := facadeOf(l).AddReader(a, func() { t.Error("called for another's fd") }); err != nil {
				return err
			}
			if queued {
				send(t, b, "x")
				l.turn()
			}
			unix.Close(a)
			if err := takeNumber(c, a); err != nil {
				return err
			}
			unix.Close(c)
			var f FD
			if err := f.Open(ctx, a, unix.Close); err != nil {
				return err
			}
			send(t, d, "y")
			if err := f.WaitRead(); err != nil || readByte(a) != "y" {
				t.Errorf("queued %v: the FD: %v", queued, err)
			}
			yields(ctx, 3)
			if facadeOf(l).RemoveReader(a) || l.ioWaits != 0 || l.fds.n != 1 {
				t.Errorf("queued %v: a reader is left; %d waits, %d fds", queued, l.ioWaits, l.fds.n)
			}
			return f.Close()
		})
		unix.Close(b)
		unix.Close(d)
	}
}

// End of file and a closed fd: the first is readable for ever, the second ends
// the reader at its next call.
func TestAddReaderAtEndOfFile(t *testing.T) {
	a, b := socketPair(t)
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		calls := 0
		facadeOf(l).AddReader(a, func() {
			if calls++; calls == 3 {
				unix.Close(a)
			}
		})
		unix.Close(b)
		yields(ctx, 8)
		if calls != 3 || facadeOf(l).RemoveReader(a) || l.ioWaits != 0 || l.fds.n != 0 {
			t.Errorf("%d calls, %d waits, %d fds", calls, l.ioWaits, l.fds.n)
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
		l := nearest(ctx).loop
		for _, fd := range []int{-1, int(file.Fd())} {
			if facadeOf(l).AddReader(fd, func() {}) == nil || facadeOf(l).AddWriter(fd, func() {}) == nil || facadeOf(l).RemoveReader(fd) {
				t.Errorf("fd %d can be polled", fd)
			}
		}
		f, peer := openPair(t, ctx)
		defer unix.Close(peer)
		if facadeOf(l).AddReader(f.Sysfd(), func() {}) == nil {
			t.Error("an FD's fd has a reader")
		}
		wantPanic(t, "nil function", func() { facadeOf(l).AddReader(0, nil) })
		for i, f := range []func(){
			func() { facadeOf(l).AddReader(0, func() {}) }, func() { facadeOf(l).AddWriter(0, func() {}) },
			func() { facadeOf(l).RemoveReader(0) }, func() { facadeOf(l).RemoveWriter(0) },
		} {
			if elsewhere(f) == "" {
				t.Errorf("%d: no panic on another goroutine", i)
			}
		}
		if l.ioWaits != 0 || l.fds.n != 1 {
			t.Error(fmt.Sprint(l.ioWaits, l.fds.n))
		}
		return f.Close()
	})
}

// A reader that is left does not keep the loop from ending, nor is anything of
// it left then.
func TestAddReaderAtTheLoopsEnd(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	defer testkit.LeakCheck(t)()
	if err := Run(context.Background(), func(ctx context.Context) error {
		l := nearest(ctx).loop
		send(t, b, "x")
		facadeOf(l).AddReader(a, func() {})
		return facadeOf(l).AddWriter(a, func() {})
	}); err != nil {
		t.Error(err)
	}
}
