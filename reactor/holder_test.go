package reactor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A lock in the model of its holders. A Mutex has no readers.
type heldLock struct {
	lock, rlock     func(ctx context.Context) error
	unlock, runlock func()
}

// heldModel predicts the results of tasks that lock and unlock in turn.
type heldModel struct {
	writer  int // -1: none
	reads   []int
	waiters [][2]int // who, and whether to write
	broken  bool
	want    [][]string // by task, what it got
}

func (x *heldModel) got(i int, word string) { x.want[i] = append(x.want[i], word) }

func (x *heldModel) readers() (n int) {
	for _, r := range x.reads {
		n += r
	}
	return n
}

func (x *heldModel) admits(write int) bool {
	return x.writer < 0 && (write == 0 || x.readers() == 0)
}

func (x *heldModel) enter(i, write int) {
	if write == 1 {
		x.writer = i
	} else {
		x.reads[i]++
	}
	x.got(i, "locked")
}

func (x *heldModel) lock(i, write int) {
	switch {
	case x.broken:
		x.got(i, "broken")
	case len(x.waiters) == 0 && x.admits(write):
		x.enter(i, write)
	case x.writer == i || x.reads[i] > 0:
		x.got(i, "self")
	default:
		x.waiters = append(x.waiters, [2]int{i, write})
	}
}

func (x *heldModel) unlock(i, write int) {
	held, mine := x.readers() > 0, x.reads[i] > 0
	if write == 1 {
		held, mine = x.writer >= 0, x.writer == i
	}
	switch {
	case x.broken:
		x.got(i, "ok")
	case !held:
		x.got(i, "unlocked")
	case !mine:
		x.got(i, "foreign")
	default:
		x.got(i, "ok")
		if write == 1 {
			x.writer = -1
		} else {
			x.reads[i]--
		}
		x.admit()
	}
}

func (x *heldModel) admit() {
	for len(x.waiters) > 0 && x.admits(x.waiters[0][1]) {
		first := x.waiters[0]
		x.waiters = x.waiters[1:]
		x.enter(first[0], first[1])
	}
}

func (x *heldModel) end(i int) {
	if x.broken || x.writer != i && x.reads[i] == 0 {
		return
	}
	x.broken = true
	for _, w := range x.waiters {
		x.got(w[0], "broken")
	}
	x.waiters = nil
}

func (x *heldModel) waits(i int) bool {
	return slices.ContainsFunc(x.waiters, func(w [2]int) bool { return w[0] == i })
}

// An actor is a task that performs acts and records their results.
type actor struct {
	orders Queue[func(ctx context.Context) string]
	task   *Task[struct{}]
	got    []string
}

func newActor(ctx context.Context) *actor {
	a := &actor{}
	a.task = GoNow(ctx, func(ctx context.Context) error {
		for f := range a.orders.All(ctx) {
			a.got = append(a.got, f(ctx))
		}
		return nil
	})
	return a
}

func lockWord(err error) string {
	switch {
	case err == nil:
		return "locked"
	case errors.Is(err, ErrSelf):
		return "self"
	case errors.Is(err, ErrBroken):
		return "broken"
	}
	return err.Error()
}

func unlockWord(text string) string {
	switch {
	case text == "":
		return "ok"
	case strings.Contains(text, "is not locked"):
		return "unlocked"
	case strings.Contains(text, "the task that locks must unlock"):
		return "foreign"
	}
	return text
}

// Every sequence of locks, unlocks and ends of three tasks: each gets what the
// model says, and never waits for itself or for one that has ended.
func TestHoldersInEveryOrder(t *testing.T) {
	for kind, c := range map[string]struct {
		acts, length int
		make         func() heldLock
	}{
		"Mutex": {3, 5, func() heldLock {
			m := new(Mutex)
			return heldLock{lock: m.Lock, unlock: m.Unlock}
		}},
		"RWMutex": {5, 4, func() heldLock {
			m := new(RWMutex)
			return heldLock{m.Lock, m.RLock, m.Unlock, m.RUnlock}
		}},
	} {
		run(t, func(ctx context.Context) error {
			sequences(3*c.acts, c.length, func(seq []int) {
				if x := modelOf(seq); x != nil {
					holdInTurn(t, ctx, kind, c.make(), seq, x)
				}
			})
			return nil
		})
	}
}

// modelOf returns the model after the acts of seq, each of which is the number of a
// task plus three times that of an act. It is nil if there is nothing new in seq:
// a task would act that has ended or waits, or the first to act is not task 0.
func modelOf(seq []int) *heldModel {
	x := &heldModel{writer: -1, reads: make([]int, 3), want: make([][]string, 3)}
	ended := make([]bool, 3)
	for _, n := range seq {
		i := n % 3
		if seq[0]%3 != 0 || ended[i] || x.waits(i) {
			return nil
		}
		switch n / 3 {
		case 0:
			x.lock(i, 1)
		case 1:
			x.unlock(i, 1)
		case 2:
			ended[i] = true
			x.end(i)
		case 3:
			x.lock(i, 0)
		case 4:
			x.unlock(i, 0)
		}
	}
	return x
}

// holdInTurn does the acts of seq, and compares what the tasks got with the model.
func holdInTurn(t *testing.T, ctx context.Context, kind string, l heldLock, seq []int, x *heldModel) {
	t.Helper()
	actors := []*actor{newActor(ctx), newActor(ctx), newActor(ctx)}
	for _, n := range seq {
		a := actors[n%3]
		order := func(f func(ctx context.Context) string) { a.orders.TryPut(f) }
		switch n / 3 {
		case 0:
			order(func(ctx context.Context) string { return lockWord(l.lock(ctx)) })
		case 1:
			order(func(context.Context) string { return unlockWord(panics(l.unlock)) })
		case 2:
			a.orders.Close()
		case 3:
			order(func(ctx context.Context) string { return lockWord(l.rlock(ctx)) })
		case 4:
			order(func(context.Context) string { return unlockWord(panics(l.runlock)) })
		}
		yields(ctx, 2)
	}
	for i, a := range actors {
		if !slices.Equal(a.got, x.want[i]) {
			t.Errorf("%s, %v: task %d got %v, want %v", kind, seq, i, a.got, x.want[i])
		}
		a.task.Cancel(nil)
	}
	yields(ctx, 2)
}

// A task that waits can be cancelled before the holder ends, and in the same
// turn; it is then not among those who are told.
func TestHolderEndsAsAWaiterIsCancelled(t *testing.T) {
	for _, endFirst := range []bool{false, true} {
		run(t, func(ctx context.Context) error {
			var m Mutex
			var end Event
			holder := GoNow(ctx, func(ctx context.Context) error {
				m.Lock(ctx)
				return end.Wait(ctx)
			})
			var errs [2]error
			var waiting [2]*Task[struct{}]
			for i := range 2 {
				waiting[i] = GoNow(ctx, func(ctx context.Context) error { errs[i] = m.Lock(ctx); return nil })
			}
			end.Set()
			if endFirst {
				yields(ctx, 1)
			}
			waiting[0].Cancel(errBoom)
			yields(ctx, 2)
			if want := map[bool]error{false: errBoom, true: ErrBroken}[endFirst]; !errors.Is(errs[0], want) || !errors.Is(errs[1], ErrBroken) {
				t.Errorf("end first %v: %v", endFirst, errs)
			}
			return holder.Wait(ctx)
		})
	}
}

// A lock that a callback takes has no holder: any task may unlock it.
func TestLockHeldByACallback(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		var m Mutex
		var rw RWMutex
		Facade(l).CallSoon(func() {
			if !m.TryLock() || !rw.TryRLock() {
				t.Error("not free")
			}
			wantPanic(t, "not locked for writing", rw.Unlock)
		})
		Yield(ctx)
		waiting := GoNow(ctx, func(ctx context.Context) error {
			defer m.Unlock()
			if err := m.Lock(ctx); err != nil {
				return err
			}
			return Sleep(ctx, time.Second)
		})
		m.Unlock()
		rw.RUnlock()
		Facade(l).CallSoon(func() { wantPanic(t, "by a callback, but it is task", m.Unlock) })
		return waiting.Wait(ctx)
	})
}

// A deadlock report and Dump name the holder.
func TestDeadlockNamesTheHolder(t *testing.T) {
	var m Mutex
	var rw, read RWMutex
	err := setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		Current(ctx).SetName("billing")
		m.Lock(ctx)
		rw.Lock(ctx)
		read.RLock(ctx)
		GoNow(ctx, func(ctx context.Context) error { read.RLock(ctx); return new(Event).Wait(ctx) })
		for _, lock := range []func(context.Context) error{m.Lock, rw.RLock, read.Lock} {
			GoNow(ctx, lock)
		}
		return new(Event).Wait(ctx)
	})
	for _, want := range []string{
		"waits for a mutex held by task 1 (billing)",
		"waits for a read-write mutex held by task 1 (billing)",
		"waits for a read-write mutex held by task 1 (billing) and 1 more",
	} {
		if !strings.Contains(fmt.Sprint(err)+"\n", want+"\n") {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}

// The error of a lock whose holder has ended names the holder; the same holds
// for a Cond's lock, before and after it waits.
func TestBrokenMutexOfACond(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := Cond{L: new(Mutex)}
		var told []string
		waiting := GoNow(ctx, func(ctx context.Context) error {
			c.L.Lock(ctx)
			defer c.L.Unlock()
			err := c.Wait(ctx)
			told = append(told, fmt.Sprint(err))
			return nil
		})
		holder := GoNow(ctx, func(ctx context.Context) error {
			c.L.Lock(ctx)
			c.Broadcast()
			return Yield(ctx)
		})
		holder.SetName("billing")
		waiting.Wait(ctx)
		told = append(told, fmt.Sprint(c.Wait(ctx)), fmt.Sprint(c.L.Lock(ctx)))
		for _, text := range told {
			if text != "reactor: task 3 (billing) ended without unlocking it: reactor: the barrier or lock is broken" {
				t.Errorf("told %q", told)
			}
		}
		if len(told) != 3 || !c.L.Locked() || c.L.TryLock() {
			t.Errorf("told %q, locked %v", told, c.L.Locked())
		}
		return nil
	})
	run(t, func(ctx context.Context) error {
		c := Cond{L: new(Mutex)}
		other := GoNow(ctx, func(ctx context.Context) error {
			c.L.Lock(ctx)
			defer c.L.Unlock()
			return Sleep(ctx, time.Second)
		})
		wantPanic(t, "Cond.Wait by task 1", func() { c.Wait(ctx) })
		return other.Wait(ctx)
	})
}
