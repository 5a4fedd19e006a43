package inspect

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// loopOf returns the loop that the test's ctx belongs to, as a Snapshot from another
// goroutine has it.
func loopOf(t *testing.T, ctx context.Context, s *Snapshot) *Loop {
	t.Helper()
	id := reactor.LoopOf(ctx).Core().Number()
	for i := range s.Loops {
		if s.Loops[i].ID == id {
			return &s.Loops[i]
		}
	}
	t.Fatalf("loop %d is missing: %+v", id, s)
	return nil
}

// outside takes a Snapshot on a goroutine, as others would.
func outside(ctx context.Context) (*Snapshot, error) {
	return reactor.ToThread(ctx, func(context.Context) (*Snapshot, error) { return Take(context.Background()), nil })
}

func run(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	if err := reactor.Run(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func task(l *Loop, name string) *Task {
	for i := range l.Tasks {
		if l.Tasks[i].Name == name {
			return &l.Tasks[i]
		}
	}
	return &Task{Name: "no task " + name}
}

// What each task waits for is told in the words of who wrote it.
func TestWaitsForInUsersTerms(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		client, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		server, err := ln.Accept()
		if err != nil {
			return err
		}
		var m reactor.Mutex
		q := reactor.Queue[int]{Max: 10}
		full := reactor.Queue[int]{Max: 1}
		sem := reactor.NewSemaphore(2)
		bar := reactor.NewBarrier(3)
		var event reactor.Event
		q.TryPut(1)
		q.TryGet()
		full.TryPut(1)
		sem.TryAcquire(2)
		want := map[string]string{}
		g := func(name, waits string, f func(ctx context.Context) error) reactor.AnyTask {
			task := reactor.Go(ctx, f)
			task.SetName(name)
			want[name] = waits
			return task
		}
		billing := g("billing", "an event", func(ctx context.Context) error { m.Lock(ctx); return event.Wait(ctx) })
		reactor.Yield(ctx)
		g("locker", "a mutex held by task 2 (billing)", m.Lock)
		g("getter", "an item in a queue, 0 of 10", func(ctx context.Context) error { _, err := q.Get(ctx); return err })
		g("putter", "room in a queue, 1 of 1", func(ctx context.Context) error { return full.Put(ctx, 2) })
		g("permits", "a semaphore, 0 of 2 free", func(ctx context.Context) error { return sem.Acquire(ctx, 1) })
		g("party", "a barrier, 1 of 3 have come", func(ctx context.Context) error { _, err := bar.Wait(ctx); return err })
		g("joiner", "task 2 (billing)", billing.Wait)
		g("reader", "read of "+server.LocalAddr().String(), func(context.Context) error { _, err := client.Read(make([]byte, 1)); return err })
		g("accepter", "a connection to "+ln.Addr().String(), func(context.Context) error { _, err := ln.Accept(); return err })
		g("sleeper", "a sleep to end, ", func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) })
		g("family", "the tasks of its group: task ", func(ctx context.Context) error {
			return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				g.Go(event.Wait).SetName("kid")
				return nil
			})
		})
		reactor.Yield(ctx)
		reactor.Yield(ctx)
		s, err := outside(ctx)
		if err != nil {
			return err
		}
		l := loopOf(t, ctx, s)
		for name, waits := range want {
			x := task(l, name)
			if exact := !strings.HasSuffix(waits, " "); !strings.HasPrefix(x.WaitsFor, waits) || exact && x.WaitsFor != waits || x.State != "waiting" || x.Since == nil {
				t.Errorf("%s: %+v, want %q", name, x, waits)
			}
			if x.Parent != 1 || !strings.Contains(x.Site, "/inspect_test.go:") && x.Func != "" && strings.HasPrefix(x.Func, "inspect.") {
				t.Errorf("%s: parent %d, function %s at %s", name, x.Parent, x.Func, x.Site)
			}
		}
		if kid := task(l, "kid"); kid.Parent != task(l, "family").ID || !kid.Group {
			t.Errorf("%+v", kid)
		}
		if x := task(l, "sleeper"); !strings.HasSuffix(x.WaitsFor, " left") {
			t.Errorf("%+v", x)
		}
		if dump := reactor.Dump(ctx); !strings.Contains(dump, "task 3 (locker) waits for a mutex held by task 2 (billing)\n") {
			t.Errorf("Dump has other words:\n%s", dump)
		}
		var tree, list strings.Builder
		s.WritePSTree(&tree)
		s.WritePS(&list)
		if want := " locker waits for a mutex held by task 2 (billing) ("; !strings.Contains(tree.String(), want) {
			t.Errorf("%q is not in\n%s", want, tree.String())
		}
		if !strings.Contains(list.String(), "  accepter  ") {
			t.Errorf("the list is\n%s", list.String())
		}
		for _, task := range reactor.AllTasks(ctx) {
			if task != reactor.Current(ctx) {
				task.Cancel(nil)
			}
		}
		client.Close()
		server.Close()
		return ln.Close()
	})
}

// Deadlines around a task are told, and the task's place in the tree.
func TestDeadlineAndParent(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return reactor.Timeout(ctx, time.Hour, func(ctx context.Context) error {
			var event reactor.Event
			reactor.Go(ctx, func(ctx context.Context) error {
				reactor.Current(ctx).SetName("middle")
				kid := reactor.Go(ctx, event.Wait)
				kid.SetName("kid")
				return kid.Wait(ctx)
			})
			reactor.Yield(ctx)
			reactor.Yield(ctx)
			s, err := outside(ctx)
			if err != nil {
				return err
			}
			l := loopOf(t, ctx, s)
			kid, middle := task(l, "kid"), task(l, "middle")
			if kid.Parent != middle.ID || middle.Parent != 1 || kid.Deadline == nil || *kid.Deadline > 3600 || *kid.Deadline < 3000 {
				t.Errorf("%+v below %+v", kid, middle)
			}
			event.Set()
			return nil
		})
	})
}

// A loop that stands is seen standing, with the line that it stands at, while the handler
// answers.
func TestStandingLoop(t *testing.T) {
	run(t, func(ctx context.Context) error {
		go1, seen := make(chan string), make(chan *Snapshot)
		hold := reactor.LoopOf(ctx).Hold()
		defer hold()
		number := reactor.LoopOf(ctx).Core().Number()
		go func() {
			<-go1
			for start := time.Now(); time.Since(start) < 20*time.Second; {
				s := Take(context.Background())
				for _, l := range s.Loops {
					if l.ID == number && l.Standing != nil {
						seen <- s
						return
					}
				}
			}
			seen <- nil
		}()
		reactor.Current(ctx).SetName("stuck")
		go1 <- ""
		s := <-seen // what a task must not do
		if s == nil {
			t.Fatal("it was not seen standing")
		}
		l := loopOf(t, ctx, s)
		if x := l.Standing; x.Name != "task 1 (stuck)" || x.Task != 1 || !strings.Contains(x.Stack, "TestStandingLoop") || !strings.Contains(x.Stack, "inspect_test.go:") {
			t.Errorf("%+v", x)
		}
		var text strings.Builder
		s.WritePSTree(&text)
		if !strings.Contains(text.String(), "STANDS for") || !strings.Contains(text.String(), "inspect_test.go:") {
			t.Error(text.String())
		}
		return nil
	})
}

// The handler answers below a prefix, in all its formats, and only here.
func TestHandler(t *testing.T) {
	run(t, func(ctx context.Context) error {
		h := Handler()
		_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) {
			for _, path := range []string{"/json", "/pstree", "/ps", "/text", "/", "/stack?loop=1", ""} {
				r := httptest.NewRequest("GET", "http://localhost:80/", nil)
				r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 || w.Body.Len() == 0 {
					t.Errorf("%q: %d %s", path, w.Code, w.Body)
				}
				if path == "/json" {
					var s Snapshot
					if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || s.Version != 1 || len(s.Loops) == 0 || s.Go != runtime.Version() {
						t.Errorf("%v: %+v", err, s)
					}
				}
			}
			for name, c := range map[string]struct {
				method, host, origin, site string
				want                       int
			}{
				"localhost":      {"GET", "localhost:6060", "", "", 200},
				"address":        {"GET", "127.0.0.1:6060", "http://127.0.0.1:6060", "same-origin", 200},
				"IPv6":           {"GET", "[::1]:6060", "", "", 200},
				"any address":    {"GET", "192.0.2.1", "", "none", 200},
				"Unix socket":    {"GET", "eddy", "", "", 200},
				"rebound name":   {"GET", "evil.example:6060", "", "", 403},
				"other origin":   {"GET", "localhost:6060", "http://evil.example", "", 403},
				"null origin":    {"GET", "localhost:6060", "null", "", 403},
				"other port":     {"GET", "localhost:6060", "http://localhost:80", "", 403},
				"other site":     {"GET", "localhost:6060", "", "cross-site", 403},
				"sibling origin": {"GET", "localhost:6060", "", "same-site", 403},
				"POST":           {"POST", "localhost:6060", "", "", 405},
			} {
				r := httptest.NewRequest(c.method, "http://x/json", nil)
				r.Host = c.host
				if c.origin != "" {
					r.Header.Set("Origin", c.origin)
				}
				if c.site != "" {
					r.Header.Set("Sec-Fetch-Site", c.site)
				}
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != c.want {
					t.Errorf("%s: %d, want %d", name, w.Code, c.want)
				}
			}
			return struct{}{}, nil
		})
		return err
	})
}

// Tasks that many others wait for less than are suspects, and so is one of a crowd.
func TestSuspects(t *testing.T) {
	wait := func(id uint64, site string, seconds float64) Task {
		return Task{ID: id, Site: site, State: "waiting", Since: &seconds}
	}
	var tasks []Task
	for i := range uint64(2000) {
		tasks = append(tasks, wait(100+i, "/x/member.go:44", 10000-float64(i)))
	}
	for i := range uint64(9) {
		tasks = append(tasks, wait(10+i, "/x/quick.go:1", 0.1))
	}
	tasks = append(tasks, wait(5000, "/x/quick.go:1", 10800), wait(5001, "/x/lone.go:7", 100), wait(5002, "/x/young.go:7", 3))
	deadline := 3.0
	bounded := wait(5003, "/x/bounded.go:7", 500)
	bounded.Deadline = &deadline
	got := suspects(append(tasks, bounded))
	var ids []uint64
	for _, x := range got {
		ids = append(ids, x.Task)
	}
	if len(ids) != 3 || ids[0] != 100 || ids[1] != 5000 || ids[2] != 5001 {
		t.Fatalf("%+v", got)
	}
	if want := "waits for 3h0m0s; half of the 10 of quick.go:1 wait for less than 100ms"; got[1].Why != want {
		t.Errorf("%q, want %q", got[1].Why, want)
	}
}

// A loop looks at itself, and one that has ended is not seen.
func TestEndedLoopIsGone(t *testing.T) {
	var number uint64
	run(t, func(ctx context.Context) error {
		number = reactor.LoopOf(ctx).Core().Number()
		if l := loopOf(t, ctx, Take(ctx)); len(l.Tasks) != 1 || l.Tasks[0].State != "running" {
			t.Errorf("on the loop itself: %+v", l)
		}
		return nil
	})
	for _, l := range Take(context.Background()).Loops {
		if l.ID == number {
			t.Errorf("%+v", l)
		}
	}
}
