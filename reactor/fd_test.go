package reactor

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/sockets"
)

// openFake opens an FD that only the fake poller knows.
func openFake(t *testing.T, ctx context.Context, sysfd int) *FD {
	t.Helper()
	f := new(FD)
	if err := f.Open(ctx, sysfd, nil); err != nil {
		t.Fatal(err)
	}
	return f
}

// onWorld runs main on a virtual clock and gives it the world.
func onWorld(t *testing.T, main func(ctx context.Context, l *loop, v *world) error) {
	t.Helper()
	v := newWorld(t)
	err := setup{world: v}.run(t, func(ctx context.Context) error { return main(ctx, nearest(ctx).loop, v) })
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestSocketPair(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		f, peer := openPair(t, ctx)
		reader := Async(ctx, func(ctx context.Context) (string, error) {
			p := make([]byte, 5)
			n, err := readFull(f, p)
			return string(p[:n]), err
		})
		Sleep(ctx, time.Millisecond)
		unix.Write(peer, []byte("he"))
		Sleep(ctx, time.Millisecond)
		unix.Write(peer, []byte("llo"))
		if v, err := reader.Await(ctx); v != "hello" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
		if err := f.WaitWrite(); err != nil {
			t.Errorf("write: %v", err)
		}
		unix.Write(peer, []byte("bye"))
		unix.Close(peer)
		p := make([]byte, 10)
		if n, err := readFull(f, p); string(p[:n]) != "bye" || err != io.EOF {
			t.Errorf("%q, %v", p[:n], err)
		}
		return f.Close()
	})
}

func TestWriterWaitsForRoom(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		f, peer := openPair(t, ctx)
		total := 0
		fill := func() {
			for {
				n, err := unix.Write(f.Sysfd(), make([]byte, 4096))
				if err != nil {
					f.WriteBlocked()
					return
				}
				total += n
			}
		}
		fill()
		woken := Go(ctx, func(ctx context.Context) error { return f.WaitWrite() })
		if err := Timeout(ctx, 2*time.Millisecond, woken.Wait); !timedOut(err) {
			t.Errorf("a full socket is writable: %v", err)
		}
		p := make([]byte, 1<<16)
		for total > 0 {
			n, err := unix.Read(peer, p)
			if err != nil {
				break
			}
			total -= n
		}
		return errors.Join(woken.Wait(ctx), f.Close(), unix.Close(peer))
	})
}

func TestReadinessIsRemembered(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		turned := false
		mark := func() { turned = false; facadeOf(l).CallSoon(func() { turned = true }) }
		mark()
		if err := f.WaitWrite(); err != nil || turned {
			t.Errorf("a new FD counts as writable: %v, suspended %v", err, turned)
		}
		v.Tell(5, eddy.Readable)
		if err := f.WaitRead(); err != nil || !turned {
			t.Errorf("a new FD does not count as readable: %v, suspended %v", err, turned)
		}
		mark()
		for range 50 {
			if err := f.WaitRead(); err != nil || turned {
				t.Errorf("forgotten: %v, suspended %v", err, turned)
			}
		}
		f.ReadBlocked()
		v.Tell(5, eddy.Readable)
		if f.WaitRead(); !turned {
			t.Error("ReadBlocked did nothing")
		}
		mark()
		f.ReadDrained()
		v.Tell(5, eddy.Readable|eddy.ReadClosed)
		if f.WaitRead(); !turned {
			t.Error("ReadDrained did nothing")
		}
		mark()
		f.ReadDrained() // but the peer has hung up: there is an end to be read
		if f.WaitRead(); turned {
			t.Error("the hang-up is forgotten")
		}
		f.WriteBlocked()
		v.Tell(5, eddy.Writable)
		if f.WaitWrite(); !turned {
			t.Error("WriteBlocked did nothing")
		}
		return f.Close()
	})
}

// Each sort of the end of input must keep a drained FD readable.
func TestReadDrainedWithAHangup(t *testing.T) {
	for _, r := range []eddy.Readiness{eddy.ReadClosed, eddy.Hangup, eddy.Failed} {
		onWorld(t, func(ctx context.Context, l *loop, v *world) error {
			f := openFake(t, ctx, 5)
			v.Tell(5, eddy.Readable|r)
			f.WaitRead()
			f.ReadDrained()
			err := Timeout(ctx, time.Second, func(context.Context) error { return f.WaitRead() })
			if err != nil {
				t.Errorf("%v: %v", r, err)
			}
			return f.Close()
		})
	}
}

func TestEveryWaiterOfADirectionWakes(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.WriteBlocked()
		var tr trace
		for i := range 3 {
			Go(ctx, func(context.Context) error { tr.add("r%d:%v", i, f.WaitRead()); return nil })
			Go(ctx, func(context.Context) error { tr.add("w%d:%v", i, f.WaitWrite()); return nil })
		}
		Sleep(ctx, 1)
		if l.ioWaits != 6 {
			t.Errorf("%d waits", l.ioWaits)
		}
		v.Tell(5, eddy.Readable)
		Sleep(ctx, 1)
		yields(ctx, 2)
		tr.want(t, "r0:<nil> r1:<nil> r2:<nil>")
		v.Tell(5, eddy.Writable)
		Sleep(ctx, 1)
		yields(ctx, 2)
		tr.want(t, "r0:<nil> r1:<nil> r2:<nil> w0:<nil> w1:<nil> w2:<nil>")
		return f.Close()
	})
}

func TestDeadlines(t *testing.T) {
	type step struct {
		at, deadline time.Duration // deadline relative to now; 0: none
	}
	for _, c := range []struct {
		name  string
		first time.Duration
		steps []step
		want  time.Duration // when the wait ends
	}{
		{"past", -time.Second, nil, 0},
		{"simple", 5 * time.Second, nil, 5 * time.Second},
		{"moved later", 5 * time.Second, []step{{time.Second, 20 * time.Second}}, 21 * time.Second},
		{"moved later twice", 5 * time.Second, []step{{time.Second, 9 * time.Second}, {7 * time.Second, 20 * time.Second}}, 27 * time.Second},
		{"moved earlier", 50 * time.Second, []step{{time.Second, 2 * time.Second}}, 3 * time.Second},
		{"later, then earlier", 5 * time.Second, []step{{1 * time.Second, 50 * time.Second}, {2 * time.Second, time.Second}}, 3 * time.Second},
		{"moved into the past", 5 * time.Second, []step{{time.Second, -time.Hour}}, time.Second},
		{"cleared", 5 * time.Second, []step{{time.Second, 0}}, time.Hour},
		{"cleared and set", 5 * time.Second, []step{{time.Second, 0}, {2 * time.Second, time.Second}}, 3 * time.Second},
		{"cleared and set after the timer", 5 * time.Second, []step{{time.Second, 0}, {7 * time.Second, time.Second}}, 8 * time.Second},
	} {
		for _, write := range []bool{false, true} {
			onWorld(t, func(ctx context.Context, l *loop, v *world) error {
				f := openFake(t, ctx, 5)
				f.WriteBlocked()
				set := func(d time.Duration) {
					at := l.wall.Add(time.Duration(l.now()-l.wallAt) + d)
					if d == 0 {
						at = time.Time{}
					}
					err := f.SetReadDeadline(at)
					if write {
						f.SetReadDeadline(time.Time{})
						err = f.SetWriteDeadline(at)
					}
					if err != nil {
						t.Error(err)
					}
				}
				set(c.first)
				for _, s := range c.steps {
					facadeOf(l).CallAt(s.at, func() { set(s.deadline) })
				}
				err := Timeout(ctx, time.Hour, func(context.Context) error {
					if write {
						return f.WaitWrite()
					}
					return f.WaitRead()
				})
				want := os.ErrDeadlineExceeded
				if c.want == time.Hour {
					want = context.DeadlineExceeded
				}
				if !errors.Is(err, want) || facadeOf(l).Time() != c.want {
					t.Errorf("%s, write=%v: %v at %v, want %v", c.name, write, err, facadeOf(l).Time(), c.want)
				}
				return f.Close()
			})
		}
	}
}

func TestDeadlineThatFiresWhileNobodyWaits(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.flags |= canRead
		f.SetReadDeadline(l.wall.Add(time.Second))
		if err := f.WaitRead(); err != nil {
			t.Errorf("before: %v", err)
		}
		Sleep(ctx, 2*time.Second)
		for range 2 {
			if err := f.WaitRead(); err != os.ErrDeadlineExceeded {
				t.Errorf("after, and readable: %v", err)
			}
		}
		if err := f.WaitWrite(); err != nil {
			t.Errorf("the other direction: %v", err)
		}
		f.SetReadDeadline(l.wall.Add(time.Hour))
		if err := f.WaitRead(); err != nil {
			t.Errorf("moved: %v", err)
		}
		return f.Close()
	})
}

func TestCloseWakesWhoIsParked(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := new(FD)
		closes := 0
		if err := f.Open(ctx, 5, func(fd int) error { closes += fd; return errBoom }); err != nil {
			return err
		}
		f.WriteBlocked()
		f.LockWrite()
		f.SetReadDeadline(l.wall.Add(time.Hour))
		var waiting []*Task[struct{}]
		for _, wait := range []func() error{f.WaitRead, f.WaitWrite, f.LockWrite} {
			waiting = append(waiting, Go(ctx, func(context.Context) error { return wait() }))
		}
		yields(ctx, 2)
		if err := f.Close(); err != errBoom {
			t.Errorf("the error of close is lost: %v", err)
		}
		for i, w := range waiting {
			if err := w.Wait(ctx); err != os.ErrClosed {
				t.Errorf("waiter %d: %v", i, err)
			}
		}
		f.UnlockWrite()
		for i, err := range []error{f.Close(), f.WaitRead(), f.WaitWrite(), f.LockWrite(), f.SetReadDeadline(time.Now()), f.SetWriteDeadline(time.Time{})} {
			if err != os.ErrClosed {
				t.Errorf("call %d on a closed FD: %v", i, err)
			}
		}
		if f.Sysfd() != -1 || closes != 5 || len(v.FDs) != 0 {
			t.Errorf("fd %d, closed %d, %d registered", f.Sysfd(), closes, len(v.FDs))
		}
		return nil
	})
}

func TestTheLoopsEndClosesFDs(t *testing.T) {
	var fd int
	runReal(t, func(ctx context.Context) error {
		f, peer := openPair(t, ctx)
		fd = f.Sysfd()
		return unix.Close(peer)
	})
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		t.Error("still open")
	}
}

// An event that was under way when its fd was closed wakes nobody, though the
// number and the slot have an owner again.
func TestAStaleEventWakesNobody(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		a := openFake(t, ctx, 5)
		v.Tell(5, eddy.Readable|eddy.Hangup) // on its way
		a.Close()
		b := openFake(t, ctx, 5)
		if a.slot != b.slot {
			t.Fatal("another slot: the test proves nothing")
		}
		err := Timeout(ctx, time.Second, func(context.Context) error { return b.WaitRead() })
		if !timedOut(err) || b.flags&undrained != 0 {
			t.Errorf("woken: %v, flags %b", err, b.flags)
		}
		l.fds.dispatch(eddy.Event{Token: 1 << 20, Ready: eddy.Readable}) // no such slot
		return b.Close()
	})
}

// The same with the kernel: another socket gets the number of one that was
// registered, whose description lives on and has something to say.
func TestAReusedFDNumber(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		a, peerA := openPair(t, ctx)
		b, peerB := openPair(t, ctx)
		keep, _ := unix.Dup(a.Sysfd()) // a's description outlives its number
		number := a.Sysfd()
		unix.Write(peerA, []byte("for a"))
		a.Close()
		if err := takeNumber(peerB, number); err != nil {
			return err
		}
		c := new(FD)
		if err := c.Open(ctx, number, unix.Close); err != nil {
			return err
		}
		err := Timeout(ctx, 2*time.Millisecond, func(context.Context) error { return c.WaitRead() })
		if !timedOut(err) {
			t.Errorf("c was woken by what was sent to a: %v", err)
		}
		unix.Write(b.Sysfd(), []byte("for c"))
		p := make([]byte, 5)
		if _, err := readFull(c, p); err != nil || string(p) != "for c" {
			t.Errorf("%q, %v", p, err)
		}
		if l.fds.n != 2 {
			t.Errorf("%d fds", l.fds.n)
		}
		return errors.Join(c.Close(), b.Close(), unix.Close(keep), unix.Close(peerA), unix.Close(peerB))
	})
}

func TestOpenFails(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		for range 3 {
			if err := new(FD).Open(ctx, 1<<20, unix.Close); !errors.Is(err, unix.EBADF) {
				t.Errorf("a bad fd: %v", err)
			}
		}
		f, peer := openPair(t, ctx)
		if err := new(FD).OpenLike(f, f.Sysfd(), &FDKind{}); !errors.Is(err, unix.EEXIST) {
			t.Errorf("opened twice: %v", err)
		}
		if l.fds.n != 1 || len(l.fds.slots) > 2 {
			t.Errorf("%d fds in %d slots", l.fds.n, len(l.fds.slots))
		}
		return errors.Join(f.Close(), unix.Close(peer))
	})
}

func TestTheInnermostScopeBoundsAWait(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		err := Timeout(ctx, time.Second, func(context.Context) error { return f.WaitRead() })
		if !timedOut(err) || facadeOf(l).Time() != time.Second {
			t.Errorf("%v at %v", err, facadeOf(l).Time())
		}
		task := Go(ctx, func(context.Context) error { return f.WaitRead() })
		yields(ctx, 2)
		task.Cancel(errBoom)
		if err := task.Wait(ctx); !errors.Is(err, errBoom) {
			t.Errorf("cancelled: %v", err)
		}
		if l.ioWaits != 0 || !f.read.waiters.empty() {
			t.Error("something is left of the wait")
		}
		return f.Close()
	})
}

// A task that never has to wait lets others run all the same.
func TestFairness(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.flags |= canRead
		reads, most := 0, 0
		stop := false
		Go(ctx, func(context.Context) error {
			for !stop {
				if err := f.WaitRead(); err != nil {
					return err
				}
				if reads++; reads > 10000 {
					return errors.New("the others starve")
				}
			}
			return nil
		})
		for range 10 {
			before := reads
			Yield(ctx)
			most = max(most, reads-before)
		}
		stop = true
		if most == 0 || most > ioBudget {
			t.Errorf("%d operations in a turn", most)
		}
		Yield(ctx)
		return f.Close()
	})
}

func TestFDInACallback(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		facadeOf(l).CallSoon(func() {
			if err := f.WaitWrite(); err != nil {
				t.Errorf("ready: %v", err)
			}
			if err := f.WaitRead(); err != errInCallback {
				t.Errorf("not ready: %v", err)
			}
			if err := f.LockWrite(); err != nil {
				t.Errorf("free: %v", err)
			}
			if err := f.LockWrite(); err != errInCallback {
				t.Errorf("locked: %v", err)
			}
			f.UnlockWrite()
			g := new(FD)
			if err := g.OpenLike(f, 6, &FDKind{Close: func(int) error { return nil }}); err != nil {
				t.Errorf("OpenLike: %v", err)
			}
			g.SetReadDeadline(time.Now())
			if err := g.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		Yield(ctx)
		return f.Close()
	})
}

func TestWriteLockIsFIFO(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		var tr trace
		if err := f.LockWrite(); err != nil {
			return err
		}
		var tasks []*Task[struct{}]
		for i := range 5 {
			tasks = append(tasks, Go(ctx, func(ctx context.Context) error {
				if err := f.LockWrite(); err != nil {
					tr.add("%d:%v", i, err)
					return err
				}
				defer f.UnlockWrite()
				tr.add("%d(", i)
				Sleep(context.WithoutCancel(ctx), 1)
				tr.add(")")
				return nil
			}))
		}
		yields(ctx, 2)
		tasks[1].Cancel(nil) // queued
		yields(ctx, 2)
		f.UnlockWrite()
		tasks[2].Cancel(nil)
		if err := f.LockWrite(); err != nil { // stands behind the others
			t.Error(err)
		}
		tr.add("main")
		f.UnlockWrite()
		tr.want(t, "1:context canceled 0( 2:context canceled ) 3( ) 4( ) main")
		if f.lock.Load() != 0 {
			t.Error("still locked")
		}
		return f.Close()
	})
}

// Handed the lock and cancelled before it resumed: it has the lock.
func TestWriteLockHandedToACancelledTask(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.LockWrite()
		var locked, next error
		task := Go(ctx, func(ctx context.Context) error {
			locked = f.LockWrite()
			next = f.WaitRead()
			f.UnlockWrite()
			return nil
		})
		yields(ctx, 2)
		f.UnlockWrite()
		task.Cancel(errBoom)
		task.Wait(ctx)
		if locked != nil || !errors.Is(next, errBoom) || f.lock.Load() != 0 {
			t.Errorf("%v, %v, flags %b", locked, next, f.flags)
		}
		return f.Close()
	})
}

func TestWaitReadable(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		fd := int(r.Fd())
		var tr trace
		for i := range 3 {
			Go(ctx, func(ctx context.Context) error {
				if err := WaitReadable(ctx, fd); err != nil {
					t.Error(err)
				}
				tr.add("%d", i)
				return nil
			})
		}
		cancelled := Go(ctx, func(ctx context.Context) error { return WaitReadable(ctx, fd) })
		Sleep(ctx, time.Millisecond)
		l.checkNow(t)
		cancelled.Cancel(errBoom)
		if err := cancelled.Wait(ctx); !errors.Is(err, errBoom) {
			t.Errorf("cancelled: %v", err)
		}
		if l.fds.n != 1 || l.ioWaits != 3 {
			t.Errorf("%d fds, %d waits", l.fds.n, l.ioWaits)
		}
		w.Write([]byte("x"))
		if err := WaitReadable(ctx, fd); err != nil { // sees it, whatever others were told
			t.Error(err)
		}
		if err := WaitReadable(ctx, fd); err != nil { // nobody has read it
			t.Error(err)
		}
		Sleep(ctx, time.Millisecond)
		tr.want(t, "0 1 2")
		if l.fds.n != 0 || len(l.fds.foreign) != 0 {
			t.Errorf("%d fds, %d foreign", l.fds.n, len(l.fds.foreign))
		}
		w.Close()
		if err := WaitReadable(ctx, fd); err != nil { // the end of file is readable
			t.Error(err)
		}
		return r.Close()
	})
}

func TestBothDirectionsOfOneForeignFD(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		reader := Go(ctx, func(ctx context.Context) error { return WaitReadable(ctx, fds[0]) })
		Sleep(ctx, time.Millisecond)
		writer := Go(ctx, func(ctx context.Context) error { return WaitWritable(ctx, fds[0]) })
		if err := Timeout(ctx, time.Second, writer.Wait); err != nil {
			t.Errorf("writable: %v", err)
		}
		if err := Timeout(ctx, time.Millisecond, reader.Wait); !timedOut(err) {
			t.Errorf("readable too early: %v", err)
		}
		unix.Write(fds[1], []byte("x"))
		return errors.Join(reader.Wait(ctx), unix.Close(fds[0]), unix.Close(fds[1]))
	})
}

func TestForeignFDsThatCantBeWatched(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		file, err := os.Open("fd_test.go")
		if err != nil {
			return err
		}
		if err := WaitReadable(ctx, int(file.Fd())); !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "WaitReadable") {
			t.Errorf("a regular file: %v", err)
		}
		file.Close()
		if err := WaitWritable(ctx, 1<<20); !errors.Is(err, unix.EBADF) {
			t.Errorf("a bad fd: %v", err)
		}
		f, peer := openPair(t, ctx)
		if err := WaitReadable(ctx, f.Sysfd()); !errors.Is(err, unix.EEXIST) {
			t.Errorf("one that is an FD's: %v", err)
		}
		if l.fds.n != 1 || len(l.fds.foreign) != 0 || l.ioWaits != 0 {
			t.Errorf("%d fds, %d foreign, %d waits", l.fds.n, len(l.fds.foreign), l.ioWaits)
		}
		return errors.Join(f.Close(), unix.Close(peer))
	})
}

// A task waits for a number that its owner closes, and an FD is opened under
// that number: the task is told.
func TestEviction(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		others, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		waiting := Go(ctx, func(ctx context.Context) error { return WaitReadable(ctx, fds[0]) })
		Sleep(ctx, time.Millisecond)
		unix.Close(fds[0])
		if err := takeNumber(others[0], fds[0]); err != nil {
			return err
		}
		f := new(FD)
		if err := f.Open(ctx, fds[0], unix.Close); err != nil {
			return err
		}
		if err := waiting.Wait(ctx); err != os.ErrClosed {
			t.Errorf("got %v", err)
		}
		unix.Write(others[1], []byte("x"))
		if err := Timeout(ctx, 10*time.Second, func(context.Context) error { return f.WaitRead() }); err != nil {
			t.Errorf("the new owner: %v", err)
		}
		if n := nearest(ctx).loop.fds.n; n != 1 {
			t.Errorf("%d fds", n)
		}
		return errors.Join(f.Close(), unix.Close(fds[1]), unix.Close(others[0]), unix.Close(others[1]))
	})
}

// One waits for a number, its owner closes it, and another's wait finds that out.
func TestASecondWaiterFindsTheFDClosed(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		first := Go(ctx, func(ctx context.Context) error { return WaitReadable(ctx, fds[0]) })
		Sleep(ctx, time.Millisecond)
		unix.Close(fds[0])
		if err := WaitReadable(ctx, fds[0]); !errors.Is(err, unix.EBADF) {
			t.Errorf("second: %v", err)
		}
		if err := Timeout(ctx, 10*time.Second, first.Wait); err != os.ErrClosed {
			t.Errorf("first: %v", err)
		}
		l := nearest(ctx).loop
		if l.fds.n != 0 || len(l.fds.foreign) != 0 || l.ioWaits != 0 {
			t.Errorf("%d fds, %d foreign, %d waits", l.fds.n, len(l.fds.foreign), l.ioWaits)
		}
		return unix.Close(fds[1])
	})
}

func TestSocketsOfALoop(t *testing.T) {
	special := struct{ sockets.System }{}
	if Sockets(context.Background()) != (sockets.System{}) {
		t.Error("outside a loop")
	}
	setup{Options: Options{Sockets: special}}.run(t, func(ctx context.Context) error {
		if Sockets(ctx) != sockets.Calls(special) {
			t.Error("not the loop's")
		}
		return nil
	})
}

// A deadline is a time, not a timer: one that passes while the task computes, and
// so holds up the timer, counts at once.
func TestDeadlineThatPassesWhileTheTaskComputes(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.notify(eddy.Readable)
		at := l.wall.Add(time.Duration(l.now()-l.wallAt) + time.Second)
		f.SetReadDeadline(at)
		f.SetWriteDeadline(at)
		ops := map[string]func() error{
			"WaitRead": f.WaitRead, "CheckRead": f.CheckRead,
			"WaitWrite": f.WaitWrite, "CheckWrite": f.CheckWrite,
		}
		for name, op := range ops {
			if err := op(); err != nil {
				t.Errorf("%s before the deadline: %v", name, err)
			}
		}
		if !mayWrite(f) {
			t.Error("TryLockWrite before the deadline is false")
		}
		v.Time.Add(int64(time.Second)) // and no turn of the loop
		if mayWrite(f) {
			t.Error("TryLockWrite after the deadline is true")
		}
		for name, op := range ops {
			if err := op(); err != os.ErrDeadlineExceeded {
				t.Errorf("%s after the deadline: %v", name, err)
			}
		}
		f.SetReadDeadline(time.Time{})
		if err := f.WaitRead(); err != nil {
			t.Errorf("WaitRead once the deadline is taken away: %v", err)
		}
		return f.Close()
	})
}

// mayWrite reports whether a task may write without waiting.
func mayWrite(f *FD) bool {
	if !f.TryLockWrite() {
		return false
	}
	f.UnlockWrite()
	return true
}
