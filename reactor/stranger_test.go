package reactor

import (
	"context"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor/core"
)

// possessions are objects of a loop, one of each kind, all in use.
type possessions struct {
	ctx     context.Context
	loop    *Loop
	task    *Task[int]
	handle  *Handle
	timer   *Timer
	ticker  *Ticker
	scope   *CancelScope
	group   *TaskGroup
	fd      *core.FD
	dormant core.Dormant
	started func(int)
	unwatch func()

	event     Event
	mutex     Mutex
	rw        RWMutex
	cond      Cond
	future    Future[int]
	semaphore *Semaphore
	barrier   *Barrier
	watch     Watch[int]
	fifo      Queue[int]
	lifo      LifoQueue[int]
	prio      PriorityQueue[int]
}

// use uses the primitives like their loop's tasks. It leaves them as they were.
func (p *possessions) use(ctx context.Context) {
	p.event.Set()
	p.event.Clear()
	p.mutex.Lock(ctx)
	p.cond.Signal()
	p.mutex.Unlock()
	p.rw.Lock(ctx)
	p.rw.Unlock()
	p.future.Result()
	p.semaphore.Acquire(ctx, 1)
	p.semaphore.Release(1)
	p.barrier.Reset()
	p.watch.Set(1)
	p.fifo.TryPut(1)
	p.fifo.TryGet()
	p.lifo.TryPut(1)
	p.lifo.TryGet()
	p.prio.TryPut(1)
	p.prio.TryGet()
	p.task.SetName("worker")
	p.handle.Cancel()
	p.timer.Reset(time.Hour)
	p.ticker.Reset(time.Hour)
	p.scope.SetTimeout(time.Hour)
	p.group.SetLimit(3)
	p.fd.SetReadDeadline(time.Time{})
	p.fd.WriteBlocked()
	p.fd.Retry(eddy.Writable)
	p.dormant.Resume()
	p.started(1)
}

func nothing(context.Context) error               { return nil }
func nought(context.Context) (int, error)         { return 0, nil }
func noScope(context.Context, *CancelScope) error { return nil }

// forTheLoop are the exported functions and methods that belong to the loop.
func forTheLoop(p *possessions) map[string]func() {
	ctx, l := p.ctx, p.loop
	return map[string]func(){
		"TaskGroup.Cancel":    func() { p.group.Cancel(nil) },
		"TaskGroup.GoService": func() { p.group.GoService(nothing) },
		"Supervisor.Group":    func() { Supervisor{}.Group(ctx, func(context.Context, *TaskGroup) error { return nil }) },
		"AllTasks":            func() { AllTasks(ctx) },
		"Any":                 func() { Any(ctx, nought) },
		"AsCompleted":         func() { AsCompleted(ctx, p.task)(func(*Task[int], error) bool { return true }) },
		"Async":               func() { Async(ctx, nought) },
		"AsyncNow":            func() { AsyncNow(ctx, nought) },
		"Gather":              func() { Gather(ctx, nought) },
		"GatherAll":           func() { GatherAll(ctx, nought) },
		"GatherUntil":         func() { GatherUntil(ctx, func(int, Outcome[int]) bool { return true }, nought) },
		"Generate":            func() { Generate(ctx, func(context.Context, *coro.Yielder[int, int]) (int, error) { return 0, nil }) },
		"GenerateSimple":      func() { GenerateSimple(ctx, func(context.Context, func(int) error) error { return nil }) },
		"Go":                  func() { Go(ctx, nothing) },
		"GoNow":               func() { GoNow(ctx, nothing) },
		"Group":               func() { Group(ctx, func(context.Context, *TaskGroup) error { return nil }) },
		"Launch":              func() { core.Launch(ctx, runner{}) },
		"MoveOn":              func() { MoveOn(ctx, noScope) },
		"MoveOnAfter":         func() { MoveOnAfter(ctx, time.Hour, nothing) },
		"NewTicker":           func() { NewTicker(ctx, time.Hour) },
		"OnSignal":            func() { OnSignal(ctx, func(os.Signal) {}, unix.SIGUSR1) },
		"Race":                func() { Race(ctx, nought) },
		"Receive":             func() { Receive(ctx, make(chan int)) },
		"Scope":               func() { Scope(ctx, noScope) },
		"Sleep":               func() { Sleep(ctx, 1) },
		"SleepUntil":          func() { SleepUntil(ctx, time.Now()) },
		"Start":               func() { Start(ctx, nil, func(context.Context, func(int)) error { return nil }) },
		"Timeout":             func() { Timeout(ctx, 1, nothing) },
		"TimeoutAt":           func() { TimeoutAt(ctx, time.Now(), nothing) },
		"ToThread":            func() { ToThread(ctx, func(context.Context) (int, error) { return 0, nil }) },
		"Wait":                func() { Wait(ctx, AllDone, p.task) },
		"WaitReadable":        func() { WaitReadable(ctx, 0) },
		"WaitWritable":        func() { WaitWritable(ctx, 0) },
		"Yield":               func() { Yield(ctx) },

		"Loop.AddReader":    func() { l.AddReader(0, func() {}) },
		"Loop.AddWriter":    func() { l.AddWriter(0, func() {}) },
		"Loop.RemoveReader": func() { l.RemoveReader(0) },
		"Loop.RemoveWriter": func() { l.RemoveWriter(0) },
		"Loop.CallAt":       func() { l.CallAt(1, func() {}) },
		"Loop.CallLater":    func() { l.CallLater(1, func() {}) },
		"Loop.CallSoon":     func() { l.CallSoon(func() {}) },
		"Loop.Stop":         func() { l.Stop() },
		"Loop.Within":       func() { l.Within(ctx, nothing) },
		"Local.On":          func() { new(Local[int]).On(l) },

		"Task.Await":       func() { p.task.Await(ctx) },
		"Task.Result":      func() { p.task.Result() },
		"anyTask.Cancel":   func() { p.task.Cancel(nil) },
		"anyTask.Finished": func() { p.task.Finished() },
		"anyTask.OnDone":   func() { p.task.OnDone(func() {}) },
		"anyTask.SetName":  func() { p.task.SetName("x") },
		"anyTask.Wait":     func() { p.task.Wait(ctx) },

		"CancelScope.Cancel":      func() { p.scope.Cancel(nil) },
		"CancelScope.Expired":     func() { p.scope.Expired() },
		"CancelScope.SetDeadline": func() { p.scope.SetDeadline(time.Now()) },
		"CancelScope.SetTimeout":  func() { p.scope.SetTimeout(1) },
		"Dormant.Pause":           func() { p.dormant.Pause() },
		"Dormant.Resume":          func() { p.dormant.Resume() },
		"Dormant.Start":           func() { new(core.Dormant).Start(ctx, p.fd, runner{}) },
		"Dormant.Waits":           func() { p.dormant.Waits() },
		"Handle.Cancel":           func() { p.handle.Cancel() },
		"TaskGroup.Go":            func() { p.group.Go(nothing) },
		"TaskGroup.SetLimit":      func() { p.group.SetLimit(1) },
		"Ticker.Next":             func() { p.ticker.Next(ctx) },
		"Ticker.Reset":            func() { p.ticker.Reset(1) },
		"Ticker.Stop":             func() { p.ticker.Stop() },
		"Timer.Reset":             func() { p.timer.Reset(1) },
		"Timer.Stop":              func() { p.timer.Stop() },

		"FD.Awaited":          func() { p.fd.Awaited() },
		"FD.OpenKind":         func() { new(core.FD).OpenKind(ctx, 1<<20, &core.FDKind{}) },
		"FD.OpenLate":         func() { new(core.FD).OpenLate(ctx, 1<<20, &core.FDKind{}) },
		"FD.Close":            func() { p.fd.Close() },
		"FD.OpenLike":         func() { new(core.FD).OpenLike(p.fd, 1<<20, nil) },
		"FD.Retry":            func() { p.fd.Retry(eddy.Writable) },
		"FD.SetReadDeadline":  func() { p.fd.SetReadDeadline(time.Now()) },
		"FD.SetWriteDeadline": func() { p.fd.SetWriteDeadline(time.Now()) },
		"FD.WaitRead":         func() { p.fd.WaitRead() },
		"FD.WaitWrite":        func() { p.fd.WaitWrite() },
		"FD.WriteErr":         func() { p.fd.WriteErr() },

		"Barrier.Abort":        func() { p.barrier.Abort() },
		"Barrier.Reset":        func() { p.barrier.Reset() },
		"Barrier.Wait":         func() { p.barrier.Wait(ctx) },
		"Barrier.Waiting":      func() { p.barrier.Waiting() },
		"Cond.Signal":          func() { p.cond.Signal() },
		"Cond.Broadcast":       func() { p.cond.Broadcast() },
		"Cond.Wait":            func() { p.cond.Wait(ctx) },
		"Cond.WaitFor":         func() { p.cond.WaitFor(ctx, func() bool { return false }) },
		"Event.Clear":          func() { p.event.Clear() },
		"Event.IsSet":          func() { p.event.IsSet() },
		"Event.Set":            func() { p.event.Set() },
		"Event.Wait":           func() { p.event.Wait(ctx) },
		"Future.Await":         func() { p.future.Await(ctx) },
		"Future.Finished":      func() { p.future.Finished() },
		"Future.Result":        func() { p.future.Result() },
		"Future.SetError":      func() { p.future.SetError(errBoom) },
		"Future.SetResult":     func() { p.future.SetResult(1) },
		"Mutex.Lock":           func() { p.mutex.Lock(ctx) },
		"Mutex.Locked":         func() { p.mutex.Locked() },
		"Mutex.TryLock":        func() { p.mutex.TryLock() },
		"Mutex.Unlock":         func() { p.mutex.Unlock() },
		"RWMutex.Lock":         func() { p.rw.Lock(ctx) },
		"RWMutex.RLock":        func() { p.rw.RLock(ctx) },
		"RWMutex.RUnlock":      func() { p.rw.RUnlock() },
		"RWMutex.TryLock":      func() { p.rw.TryLock() },
		"RWMutex.TryRLock":     func() { p.rw.TryRLock() },
		"RWMutex.Unlock":       func() { p.rw.Unlock() },
		"Semaphore.Acquire":    func() { p.semaphore.Acquire(ctx, 1) },
		"Semaphore.Free":       func() { p.semaphore.Free() },
		"Semaphore.Release":    func() { p.semaphore.Release(1) },
		"Semaphore.SetTotal":   func() { p.semaphore.SetTotal(2) },
		"Semaphore.TryAcquire": func() { p.semaphore.TryAcquire(1) },
		"Watch.Changes":        func() { p.watch.Changes(ctx)(func(int) bool { return true }) },
		"Watch.Close":          func() { p.watch.Close() },
		"Watch.Get":            func() { p.watch.Get() },
		"Watch.Next":           func() { p.watch.Next(ctx, 1000) },
		"Watch.Set":            func() { p.watch.Set(1) },

		"Queue.All":            func() { p.fifo.All(ctx)(func(int) bool { return true }) },
		"Queue.Get":            func() { p.fifo.Get(ctx) },
		"Queue.Len":            func() { p.fifo.Len() },
		"Queue.Put":            func() { p.fifo.Put(ctx, 1) },
		"Queue.TryGet":         func() { p.fifo.TryGet() },
		"Queue.TryPut":         func() { p.fifo.TryPut(1) },
		"LifoQueue.All":        func() { p.lifo.All(ctx)(func(int) bool { return true }) },
		"LifoQueue.Get":        func() { p.lifo.Get(ctx) },
		"LifoQueue.Len":        func() { p.lifo.Len() },
		"LifoQueue.Put":        func() { p.lifo.Put(ctx, 1) },
		"LifoQueue.TryGet":     func() { p.lifo.TryGet() },
		"LifoQueue.TryPut":     func() { p.lifo.TryPut(1) },
		"PriorityQueue.All":    func() { p.prio.All(ctx)(func(int) bool { return true }) },
		"PriorityQueue.Get":    func() { p.prio.Get(ctx) },
		"PriorityQueue.Len":    func() { p.prio.Len() },
		"PriorityQueue.Put":    func() { p.prio.Put(ctx, 1) },
		"PriorityQueue.TryGet": func() { p.prio.TryGet() },
		"PriorityQueue.TryPut": func() { p.prio.TryPut(1) },
		"queue.Close":          func() { p.fifo.Close() },
		"queue.Join":           func() { p.fifo.Join(ctx) },
		"queue.TaskDone":       func() { p.fifo.TaskDone() },

		"anyTask.Stats":       func() { p.task.Stats() },
		"Barrier.Stats":       func() { p.barrier.Stats() },
		"Cond.Stats":          func() { p.cond.Stats() },
		"Event.Stats":         func() { p.event.Stats() },
		"Future.Stats":        func() { p.future.Stats() },
		"LifoQueue.Stats":     func() { p.lifo.Stats() },
		"Mutex.Stats":         func() { p.mutex.Stats() },
		"PriorityQueue.Stats": func() { p.prio.Stats() },
		"Queue.Stats":         func() { p.fifo.Stats() },
		"RWMutex.Stats":       func() { p.rw.Stats() },
		"Semaphore.Stats":     func() { p.semaphore.Stats() },
		"TaskGroup.Stats":     func() { p.group.Stats() },
		"Ticker.Stats":        func() { p.ticker.Stats() },
		"Watch.Stats":         func() { p.watch.Stats() },

		"Guest.End":  nil, // see TestGuestMisuse: their sentence is another
		"Guest.Run":  nil,
		"Guest.Turn": nil,

		"the function started of Start": func() { p.started(1) },
		"the function stop of OnSignal": func() { p.unwatch() },
	}
}

// forAll are the exported functions and methods that any goroutine may call, with
// the reason.
var forAll = map[string]string{
	"Begin": "makes a loop", "Options.Begin": "makes a loop",
	"Run": "makes a loop", "Options.Run": "makes a loop",

	"Cause": "of a context", "anyTask.AfterFunc": "of a context", "anyTask.Deadline": "of a context",
	"anyTask.Done": "of a context", "anyTask.Err": "of a context", "anyTask.Value": "of a context",

	"Current": "tells who calls", "FD.OnLoop": "tells who calls", "Here": "tells who calls",
	"InTask": "tells who calls", "Loop.InTask": "tells who calls", "OnLoop": "tells who calls",

	"Dump": "asks the loop", "WriteTrace": "is for it", "StartRecording": "is for it", "Loop.Post": "is made for it", "Submit": "is made for it", "Loop.Hold": "is made for it",

	"LagBound": "a value", "Loop.Metrics": "is made for it",

	"FD.Loop": "never changes", "Guest.Loop": "never changes", "LoopOf": "never changes",
	"Loop.Logger": "never changes", "Facade": "never changes", "Loop.Core": "never changes",
	"Sockets": "never changes", "anyTask.ID": "never changes", "FD.Sysfd": "documented", "FD.String": "as Sysfd",
	"anyTask.String": "goes without what changes",

	"Loop.Time": "the clock's affair", "Now": "the clock's affair",
	"Since": "the clock's affair", "Until": "the clock's affair",

	"FD.Kind": "is atomic", "FD.Share": "is atomic", "FD.Shared": "is atomic", "FDKind.CloseFD": "a value",
	"FDKind.Shared": "a value", "FDKind.Real": "a value", "FDKind.Plain": "a value", "KindOf": "a value", "FD.ReadDeadline": "is atomic", "FD.WriteDeadline": "is atomic",
	"FD.Join": "is made for it", "FD.Side": "is atomic", "FD.Tell": "is made for it", "FD.OpenApart": "is made for it", "FD.Adopt": "is made for it",
	"FD.TryLockApart": "is made for it", "FD.LockApart": "is made for it", "FD.NobodyWaits": "is made for it",
	"FD.UnlockApart": "is made for it", "FD.Inner": "a conversion",

	"InnerFD.Attach": "follows a call that asks", "InnerFD.CheckRead": "follows a call that asks",
	"InnerFD.CheckWrite": "follows a call that asks", "InnerFD.Closed": "follows a call that asks",
	"InnerFD.LockWrite": "follows a call that asks", "InnerFD.PauseWrite": "follows a call that asks",
	"InnerFD.Scratch": "follows a call that asks", "InnerFD.TryLockWrite": "follows a call that asks",
	"InnerFD.WaitRead": "follows a call that asks", "InnerFD.WaitWrite": "follows a call that asks",

	"NewBarrier": "belongs to nobody yet", "NewSemaphore": "belongs to nobody yet",

	"CancelError.Error": "a value", "CancelError.Is": "a value", "CancelError.Unwrap": "a value",
	"DeadlockError.Error": "a value", "PanicError.Error": "a value", "PanicError.Unwrap": "a value",
	"TimeoutError.Error": "a value", "TimeoutError.Unwrap": "a value", "TimeoutError.Timeout": "a value",
	"TimeoutError.Temporary": "a value",

	"FD.IsScratch": "follows a call that asks", "FD.ReadBlocked": "follows a call that asks",
	"FD.ReadDrained": "follows a call that asks", "FD.UnlockWrite": "follows a call that asks",
	"FD.WriteBlocked": "follows a call that asks",
	"FD.IsClosed":     "follows a call that asks", "FD.GiveBack": "follows a call that asks",
}

type runner struct{}

func (runner) Run(context.Context) error { return nil }
func (runner) Over(error)                {}

// lowlevel are the names of package core that authors of socket types use. The rest
// of it is for primitives, which are tested here.
var lowlevel = []string{"Dormant", "FD", "FDKind", "Here", "InTask", "InnerFD", "KindOf", "Launch", "OnLoop", "Side", "Sockets"}

// declared returns the names of the exported functions and methods of the package,
// those of unexported types too that an exported one embeds, and of the low-level
// part of package core.
func declared(t *testing.T) (names []string) {
	t.Helper()
	names = declaredIn(t, ".")
	for _, name := range declaredIn(t, "core") {
		of, method, _ := strings.Cut(name, ".")
		if slices.Contains(lowlevel, of) && method != "Ended" && method != "Exec" && method != "Wake" {
			names = append(names, name)
		}
	}
	return names
}

func declaredIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	methods := make(map[string][]string)
	embeds := make(map[string][]string)
	var types []string
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				switch {
				case !n.Name.IsExported():
				case n.Recv == nil:
					names = append(names, n.Name.Name)
				default:
					recv := typeName(n.Recv.List[0].Type)
					methods[recv] = append(methods[recv], n.Name.Name)
				}
				return false
			case *ast.TypeSpec:
				if n.Name.IsExported() {
					types = append(types, n.Name.Name)
				}
				if s, ok := n.Type.(*ast.StructType); ok {
					for _, f := range s.Fields.List {
						if f.Names == nil {
							embeds[n.Name.Name] = append(embeds[n.Name.Name], typeName(f.Type))
						}
					}
				}
			}
			return true
		})
	}
	seen := make(map[string]bool)
	for ; len(types) > 0; types = types[1:] {
		typ := types[0]
		if seen[typ] {
			continue
		}
		seen[typ] = true
		types = append(types, embeds[typ]...)
		for _, m := range methods[typ] {
			names = append(names, typ+"."+m)
		}
	}
	return names
}

// typeName returns the name of a type, without its pointer and its arguments.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "" // another package's
}

// Every exported function is either listed as being for any goroutine, or
// called here from a goroutine off the loop, while the loop uses the same
// objects: it must panic, with a message that tells what to do, and modify
// nothing (which -race checks).
func TestStrangersAreNoticed(t *testing.T) {
	guardSignals(t)
	known, rest := forTheLoop(new(possessions)), maps.Clone(forAll)
	for _, name := range declared(t) {
		_, loops := known[name]
		_, all := forAll[name]
		if loops == all {
			t.Errorf("%s: is it for the loop, or for all goroutines? See the tables of this test", name)
		}
		delete(known, name)
		delete(rest, name)
	}
	for name := range rest {
		t.Errorf("%s is no exported function or method", name)
	}
	for name := range known {
		if !strings.HasPrefix(name, "the ") {
			t.Errorf("%s is no exported function or method", name)
		}
	}
	err := setup{}.run(t, func(ctx context.Context) error {
		return withPossessions(t, ctx, func(p *possessions) {
			var over atomic.Bool
			calls := forTheLoop(p)
			p.use(ctx) // so that all of them belong to the loop
			go func() {
				defer over.Store(true)
				for _, name := range slices.Sorted(maps.Keys(calls)) {
					if f := calls[name]; f != nil {
						if got := panics(f); !strings.Contains(got, "from a goroutine that is not the running task") {
							t.Errorf("%s: panicked with %q", name, got)
						}
					}
				}
				if got := p.task.String(); !strings.HasPrefix(got, "task ") {
					t.Errorf("Task.String: %q", got)
				}
			}()
			for !over.Load() {
				p.use(ctx)
				Yield(ctx)
			}
			checkNow(t, &p.loop.core)
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// withPossessions calls f with objects of ctx's loop.
func withPossessions(t *testing.T, ctx context.Context, f func(p *possessions)) error {
	p := &possessions{ctx: ctx, loop: LoopOf(ctx)}
	var rest Event
	p.task = Async(ctx, func(ctx context.Context) (int, error) { return 0, rest.Wait(ctx) })
	p.handle = p.loop.CallSoon(func() {})
	p.timer = p.loop.CallLater(time.Hour, func() {})
	p.ticker = NewTicker(ctx, time.Hour)
	p.unwatch = OnSignal(ctx, func(os.Signal) {}, unix.SIGUSR1)
	defer p.unwatch()
	p.semaphore, p.barrier = NewSemaphore(1), NewBarrier(2)
	p.cond.L = &p.mutex
	p.prio.Less = func(a, b int) bool { return a < b }
	var peer int
	p.fd, peer = openPair(t, ctx)
	other, otherPeer := openPair(t, ctx)
	p.dormant.Start(ctx, other, runner{})
	_, err := Start(ctx, nil, func(ctx context.Context, started func(int)) error {
		p.started = started
		started(1)
		return rest.Wait(ctx)
	})
	if err != nil {
		return err
	}
	err = Scope(ctx, func(ctx context.Context, s *CancelScope) error {
		p.scope = s
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			p.group = g
			f(p)
			return nil
		})
	})
	p.timer.Stop()
	rest.Set()
	return errors.Join(err, p.task.Wait(ctx), p.fd.Close(), other.Close(), closeFD(peer), closeFD(otherPeer), Yield(ctx))
}

// A primitive belongs to the loop that used it first, until that has ended.
func TestHomeOfAPrimitive(t *testing.T) {
	var q Queue[int]
	q.TryPut(1) // nobody's yet
	if q.Len() != 1 {
		t.Error("not prepared")
	}
	runReal(t, func(ctx context.Context) error {
		if v, err := q.TryGet(); v != 1 || err != nil {
			t.Error(v, err)
		}
		if got := elsewhere(func() { q.TryPut(2) }); !strings.Contains(got, "not the running task") {
			t.Errorf("from another goroutine: %q", got)
		}
		other := make(chan error, 1)
		go func() {
			other <- Run(context.Background(), func(ctx context.Context) error {
				for name, f := range map[string]func(){
					"Queue.Get":    func() { q.Get(ctx) },
					"Queue.TryPut": func() { q.TryPut(3) },
				} {
					if got := panics(f); !strings.Contains(got, name) {
						t.Errorf("%s on another loop: %q", name, got)
					}
				}
				return nil
			})
		}()
		_, err := ToThread(ctx, func(context.Context) (int, error) { return 0, <-other })
		return errors.Join(err, q.TryPut(4))
	})
	if q.Len() != 1 { // nobody's again
		t.Error("what was left in it is gone")
	}
	runReal(t, func(ctx context.Context) error {
		_, err := q.Get(ctx)
		return err
	})
}

// Two loops' tasks, and a goroutine, concurrently: one loop gets the primitive,
// and no other code modifies it.
func TestContestForAPrimitive(t *testing.T) {
	for range 100 {
		var m Mutex
		won, begin, end := make(chan bool, 2), make(chan bool), make(chan bool)
		var loops sync.WaitGroup
		for range 2 {
			loops.Go(func() {
				err := Run(context.Background(), func(ctx context.Context) error {
					<-begin
					won <- panics(func() { m.Lock(ctx) }) == ""
					<-end
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		if a, b := <-won, <-won; a == b {
			t.Errorf("%v and %v", a, b)
		}
		close(end)
		loops.Wait()
	}
}

func TestDumpFromAnotherGoroutine(t *testing.T) {
	var ended context.Context
	runReal(t, func(ctx context.Context) error {
		ended = ctx
		nap := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		nap.SetName("napper")
		Yield(ctx)
		text, err := ToThread(ctx, func(context.Context) (string, error) { return Dump(ctx), nil })
		if !strings.Contains(text, "task 1 (") || !strings.Contains(text, "waits for a function in a thread") || !strings.Contains(text, "(napper) waits for a sleep to end") {
			t.Errorf("%q", text)
		}
		nap.Cancel(nil)
		nap.Wait(ctx)
		return err
	})
	if text := Dump(ended); text != "" {
		t.Errorf("of a loop that has ended: %q", text)
	}
}
