//go:build coro_nested

package coro

import (
	"iter"
	"runtime"
	"strings"
	"testing"
)

const nested = true

// Suspending a coroutine inside a foreign iter.Pull panics before anything has
// changed.
func TestSuspendedInsideIterPull(t *testing.T) {
	noLeaks(t)
	var host, c Coroutine
	var refused any
	c.Init(func() {
		next, stop := iter.Pull(func(yield func(int) bool) {
			refused = panicOf(func() { c.home.next() })
			yield(1)
		})
		defer stop()
		next()
		c.Switch(&host)
	})
	host.Switch(&c)
	if text, _ := refused.(string); !strings.Contains(text, "coro_nested") {
		t.Errorf("panicked with %v", refused)
	}
	host.Switch(&c)
}

// A panic or an exit reaches the goroutine that sleeps in the seat, not the
// root.
func TestEndsThatReachTheSleeper(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic("boom") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			var got any = "the exit"
			ended := make(chan bool)
			go func() {
				defer close(ended)
				var host, outer, inner Coroutine
				outer.Init(func() {
					inner.Init(fail)
					defer func() {
						if p := recover(); p != nil {
							got = p
						}
					}()
					outer.Switch(&inner)
					t.Error("inner returned")
				})
				host.Switch(&outer)
			}()
			<-ended
			if want := map[string]any{"panic": "boom", "exit": "the exit"}[name]; got != want {
				t.Errorf("outer got %v, want %v", got, want)
			}
		})
	}
}
