package reactor

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/eddyio/eddy/reactor/core"
)

// notToBeCopied are the exported structs whose copy would be a second lock,
// list or timer that shares half of the first.
var notToBeCopied = map[string]any{
	"Barrier": Barrier{}, "CancelScope": CancelScope{}, "Cond": Cond{}, "Dormant": core.Dormant{}, "Event": Event{},
	"FD": core.FD{}, "Future": Future[int]{}, "Guest": Guest{}, "Handle": Handle{}, "LifoQueue": LifoQueue[int]{}, "Local": Local[int]{},
	"Loop": (*Loop)(nil), "Mutex": Mutex{}, "PriorityQueue": PriorityQueue[int]{}, "Queue": Queue[int]{},
	"RWMutex": RWMutex{}, "Semaphore": Semaphore{}, "Task": (*Task[int])(nil), "TaskGroup": (*TaskGroup)(nil),
	"Ticker": Ticker{}, "Timer": Timer{}, "Watch": Watch[int]{},
}

// values are the exported structs that may be copied.
var values = map[string]bool{
	"CancelError": true, "DeadlockError": true, "Options": true, "Outcome": true, "PanicError": true,
	"FDKind": true, "Report": true, "Side": true, "Supervisor": true, "TimeoutError": true,

	"BarrierStats": true, "CondStats": true, "EventStats": true, "FutureStats": true, "GroupStats": true,
	"MutexStats": true, "QueueStats": true, "RWMutexStats": true, "SemaphoreStats": true, "TaskStats": true,
	"TickerStats": true, "WatchStats": true,
}

// go vet finds copies of every exported struct that must not be copied, and a new
// one can't be forgotten.
func TestVetFindsCopies(t *testing.T) {
	for _, name := range declaredStructs(t) {
		x, found := notToBeCopied[name]
		if found == values[name] {
			t.Errorf("%s: may it be copied? See the tables of this test", name)
		}
		if !found {
			continue
		}
		typ := reflect.TypeOf(x)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if !isGuarded(typ) {
			t.Errorf("%s may be copied and go vet says nothing: give it a noCopy", name)
		}
	}
}

// isGuarded reports whether vet's copylocks check finds a copy of a value of the
// type: its pointer, or that to something in it, is a sync.Locker and it is not.
func isGuarded(typ reflect.Type) bool {
	locker := reflect.TypeFor[sync.Locker]()
	if reflect.PointerTo(typ).Implements(locker) && !typ.Implements(locker) {
		return true
	}
	switch typ.Kind() {
	case reflect.Struct:
		for i := range typ.NumField() {
			if isGuarded(typ.Field(i).Type) {
				return true
			}
		}
	case reflect.Array:
		return isGuarded(typ.Elem())
	}
	return false
}

// declaredStructs returns the names of the exported structs of the package, and of
// the low-level part of package core.
func declaredStructs(t *testing.T) (names []string) {
	t.Helper()
	names = structsIn(t, ".")
	for _, name := range structsIn(t, "core") {
		if slices.Contains(lowlevel, name) {
			names = append(names, name)
		}
	}
	return names
}

func structsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				if _, ok := spec.Type.(*ast.StructType); ok {
					names = append(names, spec.Name.Name)
				}
			}
			return true
		})
	}
	return names
}
