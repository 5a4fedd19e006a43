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
	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/sockets"
)

// openFake opens an FD that exists only for the fake poller.
func openFake(t *testing.T, ctx context.Context, sysfd int) *core.FD {
	t.Helper()
	f := new(core.FD)
	if err := f.OpenKind(ctx, sysfd, &core.FDKind{Close: func(int) error { return nil }}); err != nil {
		t.Fatal(err)
	}
	return f
}

// onWorld runs main on a virtual clock and passes it the world.
func onWorld(t *testing.T, main func(ctx context.Context, l *core.Loop, v *world) error) {
	t.Helper()
	v := newWorld(t)
	err := setup{world: v}.run(t, func(ctx context.Context) error { return main(ctx, core.Nearest(ctx).Loop(), v) })
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
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		turned := false
		mark := func() { turned = false; Facade(l).CallSoon(func() { turned = true }) }
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
		onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
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
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.WriteBlocked()
		var tr trace
		for i := range 3 {
			Go(ctx, func(context.Context) error { tr.add("r%d:%v", i, f.WaitRead()); return nil })
			Go(ctx, func(context.Context) error { tr.add("w%d:%v", i, f.WaitWrite()); return nil })
		}
		Sleep(ctx, 1)
		if l.Holdings().FDWaits != 6 {
			t.Errorf("%d waits", l.Holdings().FDWaits)
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
			onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
				f := openFake(t, ctx, 5)
				f.WriteBlocked()
				set := func(d time.Duration) {
					at := l.WallOf(l.Now()+int64(d), ctx)
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
					Facade(l).CallAt(s.at, func() { set(s.deadline) })
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
				if !errors.Is(err, want) || Facade(l).Time() != c.want {
					t.Errorf("%s, write=%v: %v at %v, want %v", c.name, write, err, Facade(l).Time(), c.want)
				}
				return f.Close()
			})
		}
	}
}

func TestDeadlineThatFiresWhileNobodyWaits(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.Retry(eddy.Readable)
		f.SetReadDeadline(l.WallOf(int64(time.Second), ctx))
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
		f.SetReadDeadline(l.WallOf(int64(time.Hour), ctx))
		if err := f.WaitRead(); err != nil {
			t.Errorf("moved: %v", err)
		}
		return f.Close()
	})
}

func TestCloseWakesWhoIsParked(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := new(core.FD)
		closes := 0
		if err := f.OpenKind(ctx, 5, &core.FDKind{Close: func(fd int) error { closes += fd; return errBoom }}); err != nil {
			return err
		}
		f.WriteBlocked()
		f.Inner().LockWrite()
		f.SetReadDeadline(l.WallOf(int64(time.Hour), ctx))
		var waiting []*Task[struct{}]
		for _, wait := range []func() error{f.WaitRead, f.WaitWrite, f.Inner().LockWrite} {
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
		for i, err := range []error{f.Close(), f.WaitRead(), f.WaitWrite(), f.Inner().LockWrite(), f.SetReadDeadline(time.Now()), f.SetWriteDeadline(time.Time{})} {
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

// The same with the kernel: another socket gets the number of one that was
// registered, whose description lives on and has something to say.
func TestAReusedFDNumber(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		a, peerA := openPair(t, ctx)
		b, peerB := openPair(t, ctx)
		keep, _ := unix.Dup(a.Sysfd()) // a's description outlives its number
		number := a.Sysfd()
		unix.Write(peerA, []byte("for a"))
		a.Close()
		if err := takeNumber(peerB, number); err != nil {
			return err
		}
		c := new(core.FD)
		if err := c.OpenKind(ctx, number, &core.FDKind{Close: unix.Close}); err != nil {
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
		if l.Holdings().FDs != 2 {
			t.Errorf("%d fds", l.Holdings().FDs)
		}
		return errors.Join(c.Close(), b.Close(), unix.Close(keep), unix.Close(peerA), unix.Close(peerB))
	})
}

func TestOpenFails(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		for range 3 {
			if err := new(core.FD).OpenKind(ctx, 1<<20, &core.FDKind{Close: unix.Close}); !errors.Is(err, unix.EBADF) {
				t.Errorf("a bad fd: %v", err)
			}
		}
		f, peer := openPair(t, ctx)
		if err := new(core.FD).OpenLike(f, f.Sysfd(), &core.FDKind{}); !errors.Is(err, unix.EEXIST) {
			t.Errorf("opened twice: %v", err)
		}
		if l.Holdings().FDs != 1 {
			t.Errorf("%d fds", l.Holdings().FDs)
		}
		return errors.Join(f.Close(), unix.Close(peer))
	})
}

func TestTheInnermostScopeBoundsAWait(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		err := Timeout(ctx, time.Second, func(context.Context) error { return f.WaitRead() })
		if !timedOut(err) || Facade(l).Time() != time.Second {
			t.Errorf("%v at %v", err, Facade(l).Time())
		}
		task := Go(ctx, func(context.Context) error { return f.WaitRead() })
		yields(ctx, 2)
		task.Cancel(errBoom)
		if err := task.Wait(ctx); !errors.Is(err, errBoom) {
			t.Errorf("cancelled: %v", err)
		}
		if l.Holdings().FDWaits != 0 || f.Awaited() {
			t.Error("something is left of the wait")
		}
		return f.Close()
	})
}

// A task that never has to wait still lets others run.
func TestFairness(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.Retry(eddy.Readable)
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
		if most == 0 || most > 128 {
			t.Errorf("%d operations in a turn", most)
		}
		Yield(ctx)
		return f.Close()
	})
}

func TestFDInACallback(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		Facade(l).CallSoon(func() {
			if err := f.WaitWrite(); err != nil {
				t.Errorf("ready: %v", err)
			}
			if err := f.WaitRead(); err == nil || !strings.Contains(err.Error(), "callback") {
				t.Errorf("not ready: %v", err)
			}
			if err := f.Inner().LockWrite(); err != nil {
				t.Errorf("free: %v", err)
			}
			if err := f.Inner().LockWrite(); err == nil || !strings.Contains(err.Error(), "callback") {
				t.Errorf("locked: %v", err)
			}
			f.UnlockWrite()
			g := new(core.FD)
			if err := g.OpenLike(f, 6, &core.FDKind{Close: func(int) error { return nil }}); err != nil {
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
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		var tr trace
		if err := f.Inner().LockWrite(); err != nil {
			return err
		}
		var tasks []*Task[struct{}]
		for i := range 5 {
			tasks = append(tasks, Go(ctx, func(ctx context.Context) error {
				if err := f.Inner().LockWrite(); err != nil {
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
		if err := f.Inner().LockWrite(); err != nil { // stands behind the others
			t.Error(err)
		}
		tr.add("main")
		f.UnlockWrite()
		tr.want(t, "1:context canceled 0( 2:context canceled ) 3( ) 4( ) main")
		if err := f.Inner().LockWrite(); err != nil {
			t.Error("still locked")
		}
		return f.Close()
	})
}

// Handed the lock and cancelled before it resumed: it has the lock.
func TestWriteLockHandedToACancelledTask(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.Inner().LockWrite()
		var locked, next error
		task := Go(ctx, func(ctx context.Context) error {
			locked = f.Inner().LockWrite()
			next = f.WaitRead()
			f.UnlockWrite()
			return nil
		})
		yields(ctx, 2)
		f.UnlockWrite()
		task.Cancel(errBoom)
		task.Wait(ctx)
		if locked != nil || !errors.Is(next, errBoom) || f.Awaited() {
			t.Errorf("%v, %v", locked, next)
		}
		return f.Close()
	})
}

func TestWaitReadable(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
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
		checkNow(t, l)
		cancelled.Cancel(errBoom)
		if err := cancelled.Wait(ctx); !errors.Is(err, errBoom) {
			t.Errorf("cancelled: %v", err)
		}
		if l.Holdings().FDs != 1 || l.Holdings().FDWaits != 3 {
			t.Errorf("%d fds, %d waits", l.Holdings().FDs, l.Holdings().FDWaits)
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
		if l.Holdings().FDs != 0 {
			t.Errorf("%d fds", l.Holdings().FDs)
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
		l := core.Nearest(ctx).Loop()
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
		if l.Holdings().FDs != 1 || l.Holdings().FDWaits != 0 {
			t.Errorf("%d fds, %d waits", l.Holdings().FDs, l.Holdings().FDWaits)
		}
		return errors.Join(f.Close(), unix.Close(peer))
	})
}

// A task waits for a number that its owner closes, and an FD is opened under
// that number: the task gets an error.
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
		f := new(core.FD)
		if err := f.OpenKind(ctx, fds[0], &core.FDKind{Close: unix.Close}); err != nil {
			return err
		}
		if err := waiting.Wait(ctx); err != os.ErrClosed {
			t.Errorf("got %v", err)
		}
		unix.Write(others[1], []byte("x"))
		if err := Timeout(ctx, 10*time.Second, func(context.Context) error { return f.WaitRead() }); err != nil {
			t.Errorf("the new owner: %v", err)
		}
		if n := core.Nearest(ctx).Loop().Holdings().FDs; n != 1 {
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
		l := core.Nearest(ctx).Loop()
		if l.Holdings().FDs != 0 || l.Holdings().FDWaits != 0 {
			t.Errorf("%d fds, %d waits", l.Holdings().FDs, l.Holdings().FDWaits)
		}
		return unix.Close(fds[1])
	})
}

func TestSocketsOfALoop(t *testing.T) {
	special := struct{ sockets.System }{}
	if core.Sockets(context.Background()) != (sockets.System{}) {
		t.Error("outside a loop")
	}
	setup{Options: Options{Sockets: special}}.run(t, func(ctx context.Context) error {
		if core.Sockets(ctx) != sockets.Calls(special) {
			t.Error("not the loop's")
		}
		return nil
	})
}

// A deadline is a time, not a timer: one that passes while the task computes, and
// so holds up the timer, counts at once.
func TestDeadlineThatPassesWhileTheTaskComputes(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		f.Retry(eddy.Readable)
		at := l.WallOf(l.Now()+int64(time.Second), ctx)
		f.SetReadDeadline(at)
		f.SetWriteDeadline(at)
		ops := map[string]func() error{
			"WaitRead": f.WaitRead, "CheckRead": f.Inner().CheckRead,
			"WaitWrite": f.WaitWrite, "CheckWrite": f.Inner().CheckWrite,
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
func mayWrite(f *core.FD) bool {
	if !f.Inner().TryLockWrite() {
		return false
	}
	f.UnlockWrite()
	return true
}
