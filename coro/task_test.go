package coro

import (
	"fmt"
	"strings"
	"testing"
)

// A turnstile is a minimal scheduler for these tests: it runs tasks in turn,
// each until it suspends itself.
type turnstile struct {
	host  Coroutine
	tasks []*task
	now   *task
	log   []string
}

type task struct {
	Coroutine
	over bool
}

func (s *turnstile) task(name string, f func(log func(string, ...any))) {
	tk := new(task)
	tk.Init(func() {
		f(func(format string, args ...any) {
			s.log = append(s.log, name+fmt.Sprintf(format, args...))
		})
		tk.over = true
	})
	s.tasks = append(s.tasks, tk)
}

// suspend parks the running task, on any goroutine.
func (s *turnstile) suspend() { s.now.Switch(&s.host) }

func (s *turnstile) run() string {
	for left := len(s.tasks); left > 0; {
		for _, tk := range s.tasks {
			if !tk.over {
				s.now = tk
				s.host.Switch(&tk.Coroutine)
				if tk.over {
					left--
				}
			}
		}
	}
	return strings.Join(s.log, " ")
}

// A generator's body may suspend the task that drives it, at any depth: then
// the whole chain is suspended, and other tasks run.
func TestSuspendInsideABody(t *testing.T) {
	noLeaks(t)
	var s turnstile
	slow := func() *Generator[int, int, string] {
		return New(func(y *Yielder[int, int]) (string, error) {
			for i := 1; i <= 2; i++ {
				s.suspend()
				if _, err := y.Yield(i); err != nil {
					return "", err
				}
			}
			s.suspend()
			return "end", nil
		})
	}
	for _, name := range []string{"a", "b"} {
		s.task(name, func(log func(string, ...any)) {
			inner := slow()
			g := New(func(y *Yielder[int, int]) (string, error) { return From(y, inner) })
			log("0")
			for v := range g.All() {
				log("%d", v)
			}
			log("!")
		})
	}
	s.task("c", func(log func(string, ...any)) {
		for i := range 3 {
			log("%d", i)
			s.suspend()
		}
	})
	if got, want := s.run(), "a0 b0 c0 a1 b1 c1 a2 b2 c2 a! b!"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for i, tk := range s.tasks {
		if tk.at != nil {
			t.Errorf("task %d ended and keeps a seat", i)
		}
	}
}

// While a generator's body has suspended its task, the generator is running,
// and another task that drives it gets an error; later tasks may take turns.
// Its end, or panic, reaches the task that drives it then.
func TestTasksShareAGenerator(t *testing.T) {
	noLeaks(t)
	var s turnstile
	g := New(func(y *Yielder[int, int]) (string, error) {
		for i := 1; i <= 3; i++ {
			s.suspend()
			y.Yield(i)
		}
		s.suspend()
		panic("boom")
	})
	turns := func(log func(string, ...any)) {
		for g.State() != Closed {
			v, err := g.Next()
			if err == ErrRunning {
				log("-")
			} else {
				log("%d", v)
			}
			s.suspend()
		}
	}
	drive := func(log func(string, ...any)) {
		if p, ok := panicOf(func() { turns(log) }).(*PanicError); ok {
			log(":%v", p.Value)
		}
	}
	s.task("a", drive)
	s.task("b", drive)
	if got, want := s.run(), "b- a1 a- b2 b- a3 a- b:boom"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
