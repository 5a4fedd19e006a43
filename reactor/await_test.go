package reactor

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// An awaited is something whose await need not wait if ctx is not done: await
// is the await, and touched reports whether it has had an effect.
type awaited struct {
	await   func(ctx context.Context) error
	touched func() bool
	turns   bool // it suspends for a turn or more, also if it need not wait
	never   bool // what it waits for does not come
}

func untouched() bool { return false }

func returns1(context.Context) (int, error) { return 1, nil }

// calls is an awaited that calls a function.
func calls(await func(ctx context.Context, f func(context.Context) error) error) awaited {
	called := false
	return awaited{
		await: func(ctx context.Context) error {
			return await(ctx, func(context.Context) error { called = true; return nil })
		},
		touched: func() bool { return called },
	}
}

// spawns is an awaited that makes a task of a function.
func spawns(await func(ctx context.Context, f func(context.Context) (int, error)) error) awaited {
	a := calls(func(ctx context.Context, f func(context.Context) error) error {
		return await(ctx, func(ctx context.Context) (int, error) { return 1, f(ctx) })
	})
	a.turns = true
	return a
}

func queueCase(put, get func(ctx context.Context) error, length func() int) map[string]awaited {
	had := length()
	touched := func() bool { return length() != had }
	return map[string]awaited{
		"Put": {await: put, touched: touched},
		"Get": {await: get, touched: touched},
	}
}

// awaits are all functions and methods of the package that await, each with its
// object ready.
var awaits = map[string]func(ctx context.Context) awaited{
	"Barrier.Wait": func(context.Context) awaited {
		b := NewBarrier(1)
		return awaited{func(ctx context.Context) error { _, err := b.Wait(ctx); return err }, func() bool { return b.come != 0 }, false, false}
	},
	"Cond.Wait": func(ctx context.Context) awaited {
		m := &Mutex{locked: true}
		c := &Cond{L: m}
		return awaited{func(ctx context.Context) error {
			LoopOf(ctx).CallSoon(func() { m.TryLock(); c.Broadcast(); m.Unlock() })
			return c.Wait(ctx)
		}, func() bool { return !m.locked }, true, false}
	},
	"Cond.WaitFor": func(context.Context) awaited {
		asked := false
		c := &Cond{L: &Mutex{locked: true}}
		return awaited{func(ctx context.Context) error {
			return c.WaitFor(ctx, func() bool { asked = true; return true })
		}, func() bool { return asked || !c.L.locked }, false, false}
	},
	"Event.Wait": func(context.Context) awaited {
		e := &Event{set: true}
		return awaited{e.Wait, untouched, false, false}
	},
	"Future.Await": func(context.Context) awaited {
		f := new(Future[int])
		f.SetResult(1)
		return awaited{func(ctx context.Context) error { _, err := f.Await(ctx); return err }, untouched, false, false}
	},
	"Gather": func(context.Context) awaited {
		return spawns(func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := Gather(ctx, f)
			return err
		})
	},
	"GatherAll": func(context.Context) awaited {
		return spawns(func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := GatherAll(ctx, f)
			return err
		})
	},
	"GatherUntil": func(context.Context) awaited {
		return spawns(func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := GatherUntil(ctx, func(int, Outcome[int]) bool { return false }, f)
			return err
		})
	},
	"Race": func(context.Context) awaited {
		return spawns(func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := Race(ctx, f)
			return err
		})
	},
	"Any": func(context.Context) awaited {
		return spawns(func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := Any(ctx, f)
			return err
		})
	},
	"Group": func(context.Context) awaited {
		return calls(func(ctx context.Context, f func(context.Context) error) error {
			return Group(ctx, func(ctx context.Context, _ *TaskGroup) error { return f(ctx) })
		})
	},
	"Supervisor.Group": func(context.Context) awaited {
		return calls(func(ctx context.Context, f func(context.Context) error) error {
			return Supervisor{}.Group(ctx, func(ctx context.Context, _ *TaskGroup) error { return f(ctx) })
		})
	},
	"MoveOn": func(context.Context) awaited {
		return calls(func(ctx context.Context, f func(context.Context) error) error {
			_, err := MoveOn(ctx, func(ctx context.Context, _ *CancelScope) error { return f(ctx) })
			return err
		})
	},
	"MoveOnAfter": func(context.Context) awaited {
		return calls(func(ctx context.Context, f func(context.Context) error) error {
			_, err := MoveOnAfter(ctx, time.Hour, f)
			return err
		})
	},
	"Scope": func(context.Context) awaited {
		return calls(func(ctx context.Context, f func(context.Context) error) error {
			return Scope(ctx, func(ctx context.Context, _ *CancelScope) error { return f(ctx) })
		})
	},
	"Timeout": func(context.Context) awaited {
		return calls(func(ctx context.Context, f func(context.Context) error) error { return Timeout(ctx, time.Hour, f) })
	},
	"TimeoutAt": func(context.Context) awaited {
		return calls(func(ctx context.Context, f func(context.Context) error) error {
			return TimeoutAt(ctx, Now(ctx).Add(time.Hour), f)
		})
	},
	"Start": func(context.Context) awaited {
		a := calls(func(ctx context.Context, f func(context.Context) error) error {
			_, err := Start(ctx, nil, func(ctx context.Context, started func(int)) error { started(1); return f(ctx) })
			return err
		})
		a.turns = true
		return a
	},
	"ToThread": func(context.Context) awaited {
		called := make(chan bool, 1)
		return awaited{func(ctx context.Context) error {
			_, err := ToThread(ctx, func(context.Context) (int, error) { called <- true; return 1, nil })
			return err
		}, func() bool { return len(called) > 0 }, true, false}
	},
	"Receive": func(context.Context) awaited {
		ch := make(chan int, 1)
		ch <- 1
		return awaited{func(ctx context.Context) error { _, _, err := Receive(ctx, ch); return err }, func() bool { return len(ch) == 0 }, false, false}
	},
	"Mutex.Lock": func(context.Context) awaited {
		m := new(Mutex)
		return awaited{m.Lock, m.Locked, false, false}
	},
	"RWMutex.Lock": func(context.Context) awaited {
		m := new(RWMutex)
		return awaited{m.Lock, func() bool { return !m.TryLock() }, false, false}
	},
	"RWMutex.RLock": func(context.Context) awaited {
		m := new(RWMutex)
		return awaited{m.RLock, func() bool { return !m.TryLock() }, false, false}
	},
	"Semaphore.Acquire": func(context.Context) awaited {
		m := NewSemaphore(1)
		return awaited{func(ctx context.Context) error { return m.Acquire(ctx, 1) }, func() bool { return m.Free() != 1 }, false, false}
	},
	"Queue.Put":         func(context.Context) awaited { return fifoCase()["Put"] },
	"Queue.Get":         func(context.Context) awaited { return fifoCase()["Get"] },
	"Queue.All":         func(context.Context) awaited { return fifoCase()["All"] },
	"LifoQueue.Put":     func(context.Context) awaited { return lifoCase()["Put"] },
	"LifoQueue.Get":     func(context.Context) awaited { return lifoCase()["Get"] },
	"LifoQueue.All":     func(context.Context) awaited { return lifoCase()["All"] },
	"PriorityQueue.Put": func(context.Context) awaited { return priorityCase()["Put"] },
	"PriorityQueue.Get": func(context.Context) awaited { return priorityCase()["Get"] },
	"PriorityQueue.All": func(context.Context) awaited { return priorityCase()["All"] },
	"queue.Join": func(context.Context) awaited {
		q := new(Queue[int])
		return awaited{q.Join, untouched, false, false}
	},
	"Sleep": func(context.Context) awaited {
		return awaited{func(ctx context.Context) error { return Sleep(ctx, 0) }, untouched, true, false}
	},
	"SleepUntil": func(context.Context) awaited {
		return awaited{func(ctx context.Context) error { return SleepUntil(ctx, time.Time{}) }, untouched, true, false}
	},
	"Yield": func(context.Context) awaited { return awaited{Yield, untouched, true, false} },
	"Ticker.Next": func(ctx context.Context) awaited {
		tick := NewTicker(ctx, 1)
		Sleep(ctx, time.Second)
		due := tick.due
		return awaited{func(ctx context.Context) error { _, err := tick.Next(ctx); return err }, func() bool { return tick.due != due }, true, false}
	},
	"anyTask.Wait": func(ctx context.Context) awaited {
		task := GoNow(ctx, func(context.Context) error { return nil })
		return awaited{task.Wait, func() bool { return false }, false, false}
	},
	"Task.Await": func(ctx context.Context) awaited {
		task := AsyncNow(ctx, returns1)
		return awaited{func(ctx context.Context) error { _, err := task.Await(ctx); return err }, func() bool { return false }, false, false}
	},
	"Wait": func(ctx context.Context) awaited {
		task := AsyncNow(ctx, returns1)
		return awaited{func(ctx context.Context) error { _, _, err := Wait(ctx, AllDone, task); return err }, untouched, false, false}
	},
	"AsCompleted": func(ctx context.Context) awaited {
		task := AsyncNow(ctx, returns1)
		given := 0
		return awaited{func(ctx context.Context) (err error) {
			for t, e := range AsCompleted(ctx, task) {
				if t != nil {
					given++
				}
				err = e
			}
			return err
		}, func() bool { return given > 0 }, false, false}
	},
	"Watch.Next": func(context.Context) awaited {
		v := new(Watch[int])
		v.Set(1)
		return awaited{func(ctx context.Context) error { _, _, err := v.Next(ctx, 0); return err }, untouched, false, false}
	},
	"Watch.Changes": func(context.Context) awaited {
		v := new(Watch[int])
		given := 0
		return awaited{func(ctx context.Context) error {
			for range v.Changes(ctx) {
				given++
				break
			}
			return ranged(ctx)
		}, func() bool { return given > 0 }, false, false}
	},
	"WaitReadable": func(ctx context.Context) awaited {
		return awaited{func(ctx context.Context) error { return WaitReadable(ctx, -1) }, untouched, true, true}
	},
	"WaitWritable": func(ctx context.Context) awaited {
		return awaited{func(ctx context.Context) error { return WaitWritable(ctx, -1) }, untouched, true, true}
	},
}

// ranged is the error of a loop over what has none to tell.
func ranged(ctx context.Context) error {
	if ctx.Err() != nil {
		return Cause(ctx)
	}
	return nil
}

func withAll(cases map[string]awaited, all func(ctx context.Context) func(func(int) bool)) map[string]awaited {
	get := cases["Get"]
	cases["All"] = awaited{func(ctx context.Context) error {
		for range all(ctx) {
			break
		}
		return ranged(ctx)
	}, get.touched, false, false}
	return cases
}

func fifoCase() map[string]awaited {
	q := new(Queue[int])
	q.TryPut(1)
	return withAll(queueCase(
		func(ctx context.Context) error { return q.Put(ctx, 2) },
		func(ctx context.Context) error { _, err := q.Get(ctx); return err }, q.Len),
		func(ctx context.Context) func(func(int) bool) { return q.All(ctx) })
}

func lifoCase() map[string]awaited {
	q := new(LifoQueue[int])
	q.TryPut(1)
	return withAll(queueCase(
		func(ctx context.Context) error { return q.Put(ctx, 2) },
		func(ctx context.Context) error { _, err := q.Get(ctx); return err }, q.Len),
		func(ctx context.Context) func(func(int) bool) { return q.All(ctx) })
}

func priorityCase() map[string]awaited {
	q := &PriorityQueue[int]{Less: func(a, b int) bool { return a < b }}
	q.TryPut(1)
	return withAll(queueCase(
		func(ctx context.Context) error { return q.Put(ctx, 2) },
		func(ctx context.Context) error { _, err := q.Get(ctx); return err }, q.Len),
		func(ctx context.Context) func(func(int) bool) { return q.All(ctx) })
}

// notAwaits take a ctx, or are methods of types that do, and do not await: they
// make tasks, query, or begin a loop.
var notAwaits = []string{
	"AllTasks", "Async", "AsyncNow", "Begin", "Cause", "Current", "Dormant.Start", "Dump", "FD.OpenKind", "FD.OpenLate", "Generate", "GenerateSimple", "Go",
	"GoNow", "Here", "InTask", "Launch", "LoopOf", "NewTicker", "Now", "OnLoop", "OnSignal", "Options.Begin",
	"Options.Run", "Run", "Since", "Sockets", "Until",
	"starting.Run", // the body of Start's task
	"Loop.Within",  // its ctx may be of no loop, and its scope that of the running task: see TestWithin
}

// Every await under a ctx that is done returns its error at once and has no
// effect, also if it need not wait.
func TestEveryAwaitUnderADoneCtx(t *testing.T) {
	for name, make := range awaits {
		t.Run(name, func(t *testing.T) {
			body := func(ctx context.Context) error {
				l := core.Nearest(ctx).Loop()
				for way, done := range map[string]context.Context{
					"a scope's": doneCtx(ctx), "std's": doneStd(ctx), "with a value": context.WithValue(doneCtx(ctx), errBoom, 1),
				} {
					a := make(ctx)
					turned := false
					h := Facade(l).CallSoon(func() { turned = true })
					if err := a.await(done); !errors.Is(err, errBoom) {
						t.Errorf("%s: %v", way, err)
					}
					if a.touched() {
						t.Errorf("%s: it has had an effect", way)
					}
					if turned {
						t.Errorf("%s: it has suspended", way)
					}
					h.Cancel()
				}
				a := make(ctx)
				if a.never {
					return nil
				}
				turned := false
				h := Facade(l).CallSoon(func() { turned = true })
				if err := a.await(ctx); err != nil {
					t.Errorf("under a ctx that is not done: %v", err)
				}
				if turned && !a.turns {
					t.Error("under a ctx that is not done: it has suspended, and need not")
				}
				h.Cancel()
				return nil
			}
			if name == "ToThread" {
				runReal(t, body)
			} else {
				run(t, body)
			}
		})
	}
}

// doneStd is doneCtx by package context.
func doneStd(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(errBoom)
	return ctx
}

// A new function that takes a ctx must be in one of the tables.
func TestEveryAwaitIsInTheTable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || !takesCtx(f) {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				name = receiverName(f.Recv.List[0].Type) + "." + name
			}
			found[name] = true
			if awaits[name] == nil && !slices.Contains(notAwaits, name) {
				t.Errorf("%s takes a ctx, and is neither in awaits nor in notAwaits", name)
			}
		}
	}
	for name := range awaits {
		if !found[name] {
			t.Errorf("%s is no more", name)
		}
	}
}

func takesCtx(f *ast.FuncDecl) bool {
	if len(f.Type.Params.List) == 0 {
		return false
	}
	sel, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Context"
}

func receiverName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverName(e.X)
	case *ast.IndexExpr:
		return receiverName(e.X)
	case *ast.IndexListExpr:
		return receiverName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
