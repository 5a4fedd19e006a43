package reactor

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Everything that tasks wait on has a method Stats: each exported type that has a list of
// waiting tasks, or a method with a ctx.
func TestStatsOfEveryPrimitive(t *testing.T) {
	exempt := []string{
		"Options", "Supervisor", // they configure something
		"Loop", // see Loop.Metrics
	}
	found := 0
	for _, folder := range []string{".", "pool"} {
		for name, x := range typesIn(t, folder) {
			if !ast.IsExported(name) || !x.waits || slices.Contains(exempt, name) {
				continue
			}
			if found++; !x.stats {
				t.Errorf("tasks wait on %s, in %s, and it has no Stats", name, folder)
			}
		}
	}
	if found < 14 {
		t.Errorf("only %d types were found", found)
	}
}

// A sourceType is what the source code has of a type.
type sourceType struct {
	waits, stats bool
	embeds       []string
}

// typesIn parses a package and returns its types, with what they embed.
func typesIn(t *testing.T, folder string) map[string]*sourceType {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no source in %s: %v", folder, err)
	}
	files := token.NewFileSet()
	all := make(map[string]*sourceType)
	at := func(name string) *sourceType {
		if all[name] == nil {
			all[name] = new(sourceType)
		}
		return all[name]
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					for _, field := range s.Fields.List {
						at(n.Name.Name).waits = at(n.Name.Name).waits || nameOfType(field.Type) == "core.WaitList"
						if len(field.Names) == 0 {
							at(n.Name.Name).embeds = append(at(n.Name.Name).embeds, nameOfType(field.Type))
						}
					}
				}
			case *ast.FuncDecl:
				if n.Recv != nil && n.Name.IsExported() {
					x := at(nameOfType(n.Recv.List[0].Type))
					x.stats = x.stats || n.Name.Name == "Stats"
					if args := n.Type.Params.List; len(args) > 0 && nameOfType(args[0].Type) == "context.Context" {
						x.waits = true
					}
				}
			}
			return true
		})
	}
	for _, x := range all {
		for _, name := range x.embeds {
			x.waits, x.stats = x.waits || at(name).waits, x.stats || at(name).stats
		}
	}
	return all
}

// nameOfType returns the name of a type, without its parameters, and of what it points to.
func nameOfType(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.StarExpr:
		return nameOfType(x.X)
	case *ast.IndexExpr:
		return nameOfType(x.X)
	case *ast.SelectorExpr:
		return nameOfType(x.X) + "." + x.Sel.Name
	}
	return ""
}

// Stats agree with what the tasks are said to wait for.
func TestStats(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m Mutex
		m.Lock(ctx)
		var rw RWMutex
		rw.RLock(ctx)
		s := NewSemaphore(3)
		s.Acquire(ctx, 2)
		var e Event
		locked := new(Mutex)
		c := Cond{L: locked}
		b := NewBarrier(3)
		var f Future[int]
		var w Watch[int]
		w.Set(1)
		empty, full, rendezvous := Queue[int]{Max: 10}, LifoQueue[int]{Max: 1}, Queue[int]{Max: Rendezvous}
		empty.TryPut(1)
		empty.TryGet()
		full.TryPut(1)
		tick := NewTicker(ctx, time.Hour)
		sleeper := GoNow(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		waiters := []func(ctx context.Context) error{
			m.Lock, m.Lock, rw.Lock, rw.RLock, rw.RLock,
			func(ctx context.Context) error { return s.Acquire(ctx, 2) },
			func(ctx context.Context) error { return s.Acquire(ctx, 3) },
			e.Wait, e.Wait,
			func(ctx context.Context) error {
				if err := locked.Lock(ctx); err != nil {
					return err
				}
				defer locked.Unlock()
				return c.Wait(ctx)
			},
			func(ctx context.Context) error { _, err := b.Wait(ctx); return err },
			func(ctx context.Context) error { _, err := f.Await(ctx); return err },
			func(ctx context.Context) error { _, _, err := w.Next(ctx, 1); return err },
			func(ctx context.Context) error { _, err := empty.Get(ctx); return err },
			empty.Join,
			func(ctx context.Context) error { return full.Put(ctx, 2) },
			func(ctx context.Context) error { return full.Put(ctx, 3) },
			func(ctx context.Context) error { return rendezvous.Put(ctx, 2) },
			func(ctx context.Context) error { _, err := tick.Next(ctx); return err },
			sleeper.Wait,
		}
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.SetLimit(len(waiters))
			for _, f := range waiters {
				g.Go(f)
			}
			g.Go(Yield) // held
			g.GoService(func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			yields(ctx, 2)
			holder := Current(ctx).String()
			for i, x := range []struct{ got, want any }{
				{m.Stats(), MutexStats{Locked: true, Holder: holder, Waiting: 2}},
				{rw.Stats(), RWMutexStats{Readers: 1, Holder: holder, WaitingWriters: 1, WaitingReaders: 2}},
				{s.Stats(), SemaphoreStats{Free: 1, Total: 3, Wanted: 5, Waiting: 2}},
				{e.Stats(), EventStats{Waiting: 2}},
				{c.Stats(), CondStats{Waiting: 1}},
				{b.Stats(), BarrierStats{Parties: 3, Waiting: 1}},
				{f.Stats(), FutureStats{Waiting: 1}},
				{w.Stats(), WatchStats{Version: 1, Waiting: 1}},
				{empty.Stats(), QueueStats{Max: 10, Unfinished: 1, Getting: 1, Joining: 1}},
				{full.Stats(), QueueStats{Len: 1, Max: 1, Unfinished: 1, Putting: 2}},
				{rendezvous.Stats(), QueueStats{Max: Rendezvous, Putting: 1}},
				{tick.Stats(), TickerStats{Interval: time.Hour, Next: LoopOf(ctx).Time() + time.Hour, Waiting: 1}},
				{sleeper.Stats(), TaskStats{Waiting: 1}},
				{g.Stats(), GroupStats{Tasks: len(waiters) + 1, Held: 1, Limit: len(waiters), Services: 1}},
			} {
				if x.got != x.want {
					t.Errorf("%d: %#v\nwant %#v", i, x.got, x.want)
				}
			}
			dump := Dump(ctx)
			for _, want := range []string{
				"a mutex held by " + m.Stats().Holder, "a read-write mutex held by " + rw.Stats().Holder,
				fmt.Sprintf("a semaphore, %d of %d free", s.Stats().Free, s.Stats().Total),
				fmt.Sprintf("a barrier, %d of %d have come", b.Stats().Waiting, b.Stats().Parties),
				fmt.Sprintf("an item in a queue, %d of %d", empty.Stats().Len, empty.Stats().Max),
				fmt.Sprintf("room in a queue, %d of %d", full.Stats().Len, full.Stats().Max),
			} {
				if !strings.Contains(dump, want+"\n") {
					t.Errorf("%q is not in\n%s", want, dump)
				}
			}
			sleeper.Cancel(nil)
			g.Cancel(nil)
			return nil
		})
	})
}

// A task that has given up waits for nothing: neither for a mutex, nor in a rendezvous,
// which knows its offer until it has run.
func TestStatsOfWaitersThatGaveUp(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var q Queue[int]
		q.Max = Rendezvous
		put := GoNow(ctx, func(ctx context.Context) error { return q.Put(ctx, 1) })
		put.OnDone(func() {})
		put.Cancel(nil)
		if s := q.Stats(); s.Putting != 0 {
			t.Errorf("%+v", s)
		}
		if s := put.Stats(); s.Waiting != 0 { // a callback is no task
			t.Errorf("%+v", s)
		}
		put.Wait(ctx)
		return nil
	})
}

// A goroutine that is not on the loop can't ask, and may after its end.
func TestStatsElsewhere(t *testing.T) {
	var m Mutex
	run(t, func(ctx context.Context) error {
		m.Lock(ctx)
		elsewhere(func() {
			if p := panics(func() { m.Stats() }); !strings.Contains(p, "Mutex.Stats from a goroutine that is not the running task") {
				t.Errorf("panicked with %q", p)
			}
		})
		m.Unlock()
		return nil
	})
	if s := m.Stats(); s != (MutexStats{}) {
		t.Errorf("%+v", s)
	}
}
