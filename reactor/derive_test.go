package reactor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

type valueKey struct{}

// wrapped are the ways in which other code wraps a task's context.
func wrapped() map[string]func(context.Context) context.Context {
	type own struct{ context.Context }
	value := func(ctx context.Context) context.Context { return context.WithValue(ctx, valueKey{}, 1) }
	return map[string]func(context.Context) context.Context{
		"none":         func(ctx context.Context) context.Context { return ctx },
		"a value":      value,
		"three values": func(ctx context.Context) context.Context { return value(value(value(ctx))) },
		"a struct":     func(ctx context.Context) context.Context { return own{ctx} },
		"both":         func(ctx context.Context) context.Context { return value(own{value(ctx)}) },
	}
}

// Contexts of the standard library that are derived from a task's ctx, or a scope's,
// start no goroutine, whatever is in between, and are done with it, for its reason.
func TestDerivingStartsNoGoroutine(t *testing.T) {
	derive := map[string]func(context.Context) (context.Context, func()){
		"WithCancel":  func(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) },
		"WithTimeout": func(ctx context.Context) (context.Context, func()) { return context.WithTimeout(ctx, time.Hour) },
		"WithCancelCause": func(ctx context.Context) (context.Context, func()) {
			c, f := context.WithCancelCause(ctx)
			return c, func() { f(nil) }
		},
		"AfterFunc": func(ctx context.Context) (context.Context, func()) {
			stop := context.AfterFunc(ctx, func() {})
			return nil, func() { stop() }
		},
	}
	for between, wrap := range wrapped() {
		for name, make := range derive {
			t.Run(name+"/"+between, func(t *testing.T) {
				runReal(t, func(ctx context.Context) error {
					return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
						const n = 1000
						var all []context.Context
						before := testkit.Goroutines()
						for range n {
							c, cancel := make(wrap(ctx))
							defer cancel()
							all = append(all, c)
						}
						if more := testkit.Goroutines() - before; more > 0 {
							t.Errorf("%d goroutines for %d contexts", more, n)
						}
						s.Cancel(errBoom)
						for _, c := range all {
							if c != nil && (c.Err() != context.Canceled || context.Cause(c) != errBoom || Cause(c) != errBoom) {
								t.Fatalf("%v, because of %v and %v", c.Err(), context.Cause(c), Cause(c))
							}
						}
						return nil
					})
				})
			})
		}
	}
}

// The reason of a scope is that of what is derived from it, before or after its end,
// and package context knows it too.
func TestReasonsOfDerivedContexts(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for name, c := range map[string]struct {
			end        func(s *CancelScope)
			err, cause error
		}{
			"cancelled": {func(s *CancelScope) { s.Cancel(nil) }, context.Canceled, context.Canceled},
			"cause":     {func(s *CancelScope) { s.Cancel(errBoom) }, context.Canceled, errBoom},
			"deadline":  {func(s *CancelScope) { s.SetTimeout(0) }, context.DeadlineExceeded, context.DeadlineExceeded},
			"over":      {func(s *CancelScope) {}, context.Canceled, nil},
		} {
			for between, wrap := range wrapped() {
				for _, asked := range []bool{false, true} {
					var parent, derived context.Context
					Scope(ctx, func(ctx context.Context, s *CancelScope) error {
						parent = wrap(ctx)
						if asked {
							var cancel func()
							derived, cancel = context.WithCancel(parent)
							defer cancel()
						}
						c.end(s)
						return nil
					})
					if !asked {
						var cancel func()
						derived, cancel = context.WithCancel(parent)
						defer cancel()
					}
					if name == "over" && asked {
						continue // its own cancel came first
					}
					for _, d := range []context.Context{parent, derived} {
						select {
						case <-d.Done():
						default:
							t.Errorf("%s, %s: not done", name, between)
						}
						if cause := context.Cause(d); d.Err() != c.err || cause != c.cause && (c.cause != nil || !hasEnded(cause)) {
							t.Errorf("%s, %s, derived before: %v: %v because of %v", name, between, asked, d.Err(), context.Cause(d))
						}
					}
				}
			}
		}
		return nil
	})
}

// Tasks under contexts that are derived from one scope learn of its end in the order
// in which they began to follow it, in the same turn, on any clock: package
// context's map has no say in it.
func TestOrderOfTasksUnderDerivedContexts(t *testing.T) {
	const n = 40
	for name, start := range map[string]func(ctx context.Context, f func(context.Context) error) *Task[struct{}]{
		"tasks made under it": func(ctx context.Context, f func(context.Context) error) *Task[struct{}] {
			return Go(ctx, f)
		},
		"awaits under it": func(ctx context.Context, f func(context.Context) error) *Task[struct{}] {
			return Go(context.WithoutCancel(ctx), func(context.Context) error { return f(ctx) })
		},
	} {
		for between, wrap := range wrapped() {
			t.Run(name+"/"+between, func(t *testing.T) {
				for range 20 {
					runReal(t, func(ctx context.Context) error {
						var order []int
						var tasks []*Task[struct{}]
						return Scope(ctx, func(inner context.Context, s *CancelScope) error {
							for i := range n {
								c, cancel := context.WithCancel(wrap(inner))
								defer cancel()
								tasks = append(tasks, start(c, func(ctx context.Context) error {
									err := Sleep(ctx, time.Hour)
									order = append(order, i)
									return err
								}))
							}
							yields(ctx, 2)
							s.Cancel(errBoom)
							Yield(ctx)
							if !slices.IsSorted(order) || len(order) != n {
								t.Errorf("%v", order)
							}
							for _, task := range tasks {
								if err := task.Wait(ctx); !errors.Is(err, errBoom) {
									return fmt.Errorf("a task returned %w", err)
								}
							}
							return nil
						})
					})
				}
			})
		}
	}
}
