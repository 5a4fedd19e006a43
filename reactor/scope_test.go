package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor/core"
)

// races are what a task can wait for, each with a way to let it happen from a
// callback. result says what the await itself returned.
var races = map[string]func(t *testing.T) (await func(ctx context.Context) error, happen func()){
	"Sleep": func(*testing.T) (func(ctx context.Context) error, func()) {
		var w *core.Worker
		return func(ctx context.Context) error {
			w, _, _ = core.Await(ctx, "test")
			return Sleep(ctx, time.Hour)
		}, func() { w.Wake(core.WokenTimer) }
	},
	"Future": func(*testing.T) (func(ctx context.Context) error, func()) {
		var f Future[int]
		return func(ctx context.Context) error {
			v, err := f.Await(ctx)
			if err == nil && v != 7 {
				return fmt.Errorf("got %d", v)
			}
			return err
		}, func() { f.SetResult(7) }
	},
	"Task.Wait": func(*testing.T) (func(ctx context.Context) error, func()) {
		var made core.Task
		return func(ctx context.Context) error {
				l := core.Nearest(ctx).Loop()
				made.Scope().Init(l.Root(), l.Detached())
				defer made.Scope().Close()
				_, err := made.Join(ctx, "test")
				return err
			}, func() { // as finish does
				made.Returned(nil)
				made.Waiters().WakeAll(core.WokenDone)
			}
	},
	"ToThread's queue": func(*testing.T) (func(ctx context.Context) error, func()) {
		var l *core.Loop
		return func(ctx context.Context) error {
				l = core.Nearest(ctx).Loop()
				defer func(n int) { Facade(l).maxThreads = n; l.Threads(-1) }(Facade(l).maxThreads)
				Facade(l).maxThreads = 1
				l.Threads(1)
				w, _, _ := core.Await(ctx, "test")
				return Facade(l).takeThread(w, core.Nearest(ctx))
			}, func() {
				Facade(l).threads.queue.WakeFirst(core.WokenDone)
			}
	},
	"Group": func(*testing.T) (func(ctx context.Context) error, func()) {
		var f Future[int]
		return func(ctx context.Context) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(waitForever(&f))
				return nil
			})
		}, func() { f.SetResult(7) }
	},
	"Gather": func(*testing.T) (func(ctx context.Context) error, func()) {
		var f Future[int]
		return func(ctx context.Context) error {
			_, err := Gather(ctx, f.Await)
			return err
		}, func() { f.SetResult(7) }
	},
	"WaitReadable": func(t *testing.T) (func(ctx context.Context) error, func()) {
		var l *core.Loop
		return func(ctx context.Context) error {
				l = core.Nearest(ctx).Loop()
				return WaitReadable(ctx, 77)
			}, func() {
				x := core.Waiter{Hook: core.HookFunc(func() {})}
				f, _ := l.Borrow(77, 0, &x)
				f.Retry(eddy.Readable)
				f.GiveBack()
			}
	},
	"FD": func(t *testing.T) (func(ctx context.Context) error, func()) {
		f := new(core.FD)
		return func(ctx context.Context) error {
			if err := f.OpenKind(ctx, 78, &core.FDKind{Close: func(int) error { return nil }}); err != nil {
				return err
			}
			defer f.Close()
			return f.WaitRead()
		}, func() { f.Retry(eddy.Readable) }
	},
	"LockWrite": func(t *testing.T) (func(ctx context.Context) error, func()) {
		f := new(core.FD)
		return func(ctx context.Context) error {
			if err := f.OpenKind(ctx, 79, &core.FDKind{Close: func(int) error { return nil }}); err != nil {
				return err
			}
			defer f.Close()
			f.Inner().LockWrite()
			return f.Inner().LockWrite()
		}, func() { f.UnlockWrite() }
	},
}

// In every order in which a result, an outer cancellation and an inner timeout
// can come within one turn, a parked task wakes exactly once: with the result
// if that came first, with the cancellation if there is one at all, and else
// with the timeout. What did not win is not lost: the next await returns it.
func TestAParkedTaskWakesOnceWhateverComesInOneTurn(t *testing.T) {
	const result, cancel, timeout = 0, 1, 2
	for name, race := range races {
		t.Run(name, func(t *testing.T) {
			permutations(3, func(order []int) {
				await, happen := race(t)
				has := func(what int) bool {
					for _, x := range order {
						if x == what {
							return true
						}
					}
					return false
				}
				want := error(nil)
				switch {
				case has(cancel):
					want = errBoom
				case has(timeout):
					want = context.DeadlineExceeded
				}
				first := want
				// Readiness is no result; it stays with the FD. And Gather has
				// one only when its task, woken now, has run.
				if order[0] == result && name != "FD" && name != "Gather" {
					first = nil
				}
				run(t, func(ctx context.Context) error {
					l := core.Nearest(ctx).Loop()
					resumed := 0
					var inner *core.Scope
					var got, next error
					victim := Go(ctx, func(ctx context.Context) error {
						return Timeout(ctx, time.Hour, func(ctx context.Context) error {
							inner = ctx.(*core.Scope)
							got = await(ctx)
							resumed++
							next = Yield(ctx)
							return nil
						})
					})
					yields(ctx, 3)
					Facade(l).CallSoon(func() {
						for _, what := range order {
							switch what {
							case result:
								happen()
							case cancel:
								victim.Cancel(errBoom)
							case timeout:
								inner.Expire()
							}
							checkNow(t, l)
						}
					})
					yields(ctx, 6)
					if resumed != 1 {
						t.Errorf("order %v: resumed %d times", order, resumed)
						victim.Cancel(nil)
						return nil
					}
					if !errors.Is(got, first) || (first == nil) != (got == nil) {
						t.Errorf("order %v: got %v, want %v", order, got, first)
					}
					if !errors.Is(next, want) || (want == nil) != (next == nil) {
						t.Errorf("order %v: the next await returned %v, want %v", order, next, want)
					}
					return victim.Wait(ctx)
				})
			})
		})
	}
}

// The same by the clock: everything is due at one moment.
func TestOuterCancelWinsOverATimeoutDueInTheSameTurn(t *testing.T) {
	for _, cancelFirst := range []bool{true, false} {
		run(t, func(ctx context.Context) error {
			l := core.Nearest(ctx).Loop()
			var victim *Task[struct{}]
			cancel := func() { Facade(l).CallAt(time.Second, func() { victim.Cancel(errBoom) }) }
			if cancelFirst {
				cancel()
			}
			var got error
			victim = Go(ctx, func(ctx context.Context) error {
				return Timeout(ctx, time.Second-Facade(l).Time(), func(ctx context.Context) error {
					got = Sleep(ctx, time.Hour)
					return nil
				})
			})
			yields(ctx, 2)
			if !cancelFirst {
				cancel()
			}
			victim.Wait(ctx)
			// The timeout wakes the victim during the turn, the callback is run
			// by it: before the victim, or after.
			want := error(context.DeadlineExceeded)
			if cancelFirst {
				want = errBoom
			}
			if !errors.Is(got, want) || Facade(l).Time() != time.Second {
				t.Errorf("cancelFirst=%v: got %v at %v", cancelFirst, got, Facade(l).Time())
			}
			return nil
		})
	}
	run(t, func(ctx context.Context) error {
		err := Timeout(ctx, time.Second, func(ctx context.Context) error {
			return Timeout(ctx, time.Second, func(ctx context.Context) error {
				return Timeout(ctx, time.Second/2, func(ctx context.Context) error {
					Sleep(ctx, time.Hour)
					if Cause(ctx) != context.DeadlineExceeded {
						t.Errorf("cause %v", Cause(ctx))
					}
					return nil
				})
			})
		})
		if got := LoopOf(ctx).Time(); got != time.Second/2 {
			t.Errorf("at %v", got)
		}
		return err
	})
}

func TestCancellationIsSticky(t *testing.T) {
	run(t, func(ctx context.Context) error {
		n := 0
		task := Go(ctx, func(ctx context.Context) error {
			for range 5 {
				if err := Sleep(ctx, time.Hour); !errors.Is(err, errBoom) {
					t.Errorf("await %d: %v", n, err)
				}
				n++
			}
			if Sleep(context.WithoutCancel(ctx), time.Second) != nil {
				t.Error("shielded, but cancelled")
			}
			if !errors.Is(Yield(ctx), errBoom) {
				t.Error("the shield stayed")
			}
			return nil
		})
		Yield(ctx)
		task.Cancel(errBoom)
		err := task.Wait(ctx)
		if n != 5 || LoopOf(ctx).Time() != time.Second {
			t.Errorf("%d awaits, %v", n, LoopOf(ctx).Time())
		}
		return err
	})
}

func TestCauses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if Cause(ctx) != nil || Cause(context.Background()) != nil {
			t.Error("a cause before the end")
		}
		outer, cancel := context.WithCancelCause(ctx)
		cancel(errBoom)
		if Cause(outer) != errBoom || Cause(context.WithoutCancel(outer)) != nil {
			t.Errorf("%v, %v", Cause(outer), Cause(context.WithoutCancel(outer)))
		}
		late, stop := context.WithTimeoutCause(ctx, -1, errBoom)
		defer stop()
		if err := Yield(late); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errBoom) {
			t.Errorf("WithTimeoutCause: %v", err)
		}
		task := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		Yield(ctx)
		task.Cancel(errBoom)
		err := task.Wait(ctx)
		var ce *CancelError
		if !errors.As(err, &ce) || ce.Cause != errBoom || !strings.Contains(err.Error(), "boom") {
			t.Errorf("%v", err)
		}
		if task.Err() != context.Canceled || Cause(task) != errBoom {
			t.Errorf("Err %v, Cause %v", task.Err(), Cause(task))
		}
		return nil
	})
}

// Every way to derive a context, cancelled from the loop and from elsewhere.
func TestDerivedContexts(t *testing.T) {
	type key struct{}
	none := func() {}
	cases := []struct {
		name   string
		derive func(ctx context.Context) (context.Context, func())
		reach  bool // a cancellation of the task reaches it
	}{
		{"itself", func(ctx context.Context) (context.Context, func()) { return ctx, none }, true},
		{"WithValue", func(ctx context.Context) (context.Context, func()) {
			return context.WithValue(ctx, key{}, 1), none
		}, true},
		{"WithCancel", func(ctx context.Context) (context.Context, func()) {
			return context.WithCancel(ctx)
		}, true},
		{"WithTimeout", func(ctx context.Context) (context.Context, func()) {
			return context.WithTimeout(ctx, time.Hour)
		}, true},
		{"WithoutCancel", func(ctx context.Context) (context.Context, func()) {
			return context.WithoutCancel(ctx), none
		}, false},
		{"WithCancelCause", func(ctx context.Context) (context.Context, func()) {
			c, cancel := context.WithCancelCause(ctx)
			return c, func() { cancel(errBoom) }
		}, true},
		{"WithCancel of WithoutCancel", func(ctx context.Context) (context.Context, func()) {
			return context.WithCancel(context.WithoutCancel(ctx))
		}, false},
		{"WithValue of WithTimeout of WithValue", func(ctx context.Context) (context.Context, func()) {
			c, cancel := context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Hour)
			return context.WithValue(c, key{}, 2), cancel
		}, true},
		{"WithoutCancel of WithCancel", func(ctx context.Context) (context.Context, func()) {
			c, cancel := context.WithCancel(ctx)
			return context.WithoutCancel(c), cancel
		}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			long := 20 * time.Millisecond
			if c.reach {
				long = time.Hour
			}
			runReal(t, func(ctx context.Context) error {
				for _, nested := range []bool{false, true} {
					parked := false
					body := func(ctx context.Context) error {
						derived, cancel := c.derive(ctx)
						defer cancel()
						if core.Nearest(derived) != core.Nearest(ctx) {
							t.Error("the scope is lost")
						}
						await := func(ctx context.Context) error {
							if Sleep(derived, time.Microsecond) != nil {
								t.Error("cancelled before its time")
							}
							parked = true
							return Sleep(derived, long)
						}
						switch {
						case !nested:
							return await(derived)
						default:
							return Go(derived, func(ctx context.Context) error {
								parked = true
								return Sleep(ctx, long)
							}).Wait(context.WithoutCancel(ctx))
						}
					}
					task := Go(ctx, body)
					for !parked {
						Yield(ctx)
					}
					task.Cancel(errBoom)
					err := task.Wait(ctx)
					if c.reach != errors.Is(err, errBoom) || !c.reach && err != nil {
						t.Errorf("nested=%v: %v", nested, err)
					}
				}
				return nil
			})
		})
		t.Run(c.name+" from elsewhere", func(t *testing.T) {
			runReal(t, func(ctx context.Context) error {
				derived, cancel := c.derive(ctx)
				defer cancel()
				if derived.Done() == nil || derived.Done() == ctx.Done() {
					return nil // has no cancel function of its own
				}
				Go(ctx, func(ctx context.Context) error { go cancel(); return nil })
				if err := Sleep(derived, time.Hour); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				if err := Yield(derived); !errors.Is(err, context.Canceled) {
					t.Errorf("again: %v", err)
				}
				return Yield(ctx) // not cancelled
			})
		})
	}
}

// A context that is done by the time of the await needs no message to the loop.
func TestADerivedContextThatIsDoneIsSeenAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		derived, cancel := context.WithCancel(ctx)
		if err := Yield(derived); err != nil { // makes the shadow
			t.Error(err)
		}
		cancel()
		if err := Yield(derived); err != context.Canceled {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

// Under -race: the methods of context.Context, from anywhere at any time.
func TestACtxUsedFromOtherGoroutines(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		var wg sync.WaitGroup
		watch := func(c context.Context) {
			for range 4 {
				wg.Go(func() {
					calls := make(chan struct{}, 2)
					stop := context.AfterFunc(c, func() { calls <- struct{}{} })
					defer stop()
					derived, cancel := context.WithTimeout(c, time.Hour)
					defer cancel()
					for c.Err() == nil {
						c.Deadline()
						c.Value("x")
						Cause(c)
						LoopOf(c)
						core.InTask(c)
					}
					<-c.Done()
					<-derived.Done()
					<-calls
					if !hasEnded(Cause(c)) && Cause(c) != errBoom {
						t.Error(Cause(c))
					}
				})
			}
		}
		for range 20 {
			task := Go(ctx, func(ctx context.Context) error {
				watch(ctx)
				outer := ctx
				Go(context.WithoutCancel(ctx), func(context.Context) error { Sleep(outer, time.Hour); return nil })
				return Timeout(ctx, time.Hour, func(ctx context.Context) error {
					watch(ctx)
					// A guest makes the scope grow what few scopes have.
					guest := Go(context.WithoutCancel(ctx), func(context.Context) error { return Sleep(ctx, time.Hour) })
					watch(guest)
					yields(ctx, 2)
					c, stop := context.WithCancel(ctx)
					defer stop()
					return errors.Join(Sleep(c, time.Hour), guest.Wait(context.WithoutCancel(ctx)))
				})
			})
			yields(ctx, 5)
			task.Cancel(errBoom)
			if err := task.Wait(ctx); !errors.Is(err, errBoom) {
				t.Error(err)
			}
		}
		_, err := ToThread(ctx, func(context.Context) (int, error) { wg.Wait(); return 0, nil })
		return err
	})
}

func TestDoneOfATaskThatHasEnded(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var kept, asked context.Context
		Go(ctx, func(ctx context.Context) error { kept = ctx; return nil })
		Go(ctx, func(ctx context.Context) error { asked = ctx; ctx.Done(); return nil })
		yields(ctx, 2)
		for _, c := range []context.Context{kept, asked} {
			select {
			case <-c.Done():
			default:
				t.Error("not done")
			}
			if c.Err() != context.Canceled || !hasEnded(Cause(c)) {
				t.Errorf("%v, %v", c.Err(), Cause(c))
			}
			if err := Yield(c); !hasEnded(err) || !errors.Is(err, context.Canceled) {
				t.Errorf("await: %v", err)
			}
		}
		return nil
	})
}

func TestAfterFunc(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		var tr trace
		stop1 := task.AfterFunc(func() { tr.add("1") })
		stop2 := task.AfterFunc(func() { tr.add("2") })
		stop3 := task.AfterFunc(func() { tr.add("3") })
		if !stop2() || stop2() {
			t.Error("stop is true exactly once")
		}
		Yield(ctx)
		task.Cancel(nil)
		tr.want(t, "1 3")
		if stop1() || stop3() {
			t.Error("stopped what has run")
		}
		// Done already: called, but not by the caller, who may hold a lock that f
		// takes, as package context does.
		var lock sync.Mutex
		called := make(chan bool)
		lock.Lock()
		stop := task.AfterFunc(func() { lock.Lock(); close(called) })
		if stop() {
			t.Error("stopped what has run")
		}
		lock.Unlock()
		<-called
		tr.want(t, "1 3")
		task.Wait(ctx)
		return nil
	})
}

func TestChildrenOutliveTheirMaker(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		var child, grandchild *Task[struct{}]
		maker := Go(ctx, func(ctx context.Context) error {
			child = Go(ctx, func(ctx context.Context) error {
				grandchild = Go(ctx, func(ctx context.Context) error {
					err := Sleep(ctx, time.Hour)
					tr.add("grandchild:%v", err)
					return nil
				})
				err := Sleep(ctx, time.Second)
				tr.add("child:%v", err)
				return nil
			})
			Yield(ctx)
			return nil
		})
		middle := Go(ctx, func(ctx context.Context) error {
			return Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) }).Wait(context.WithoutCancel(ctx))
		})
		maker.Wait(ctx)
		if maker.Cancel(nil) {
			t.Error("cancelled a task that is over")
		}
		child.Wait(ctx)
		tr.want(t, "child:<nil>")
		checkNow(t, core.Nearest(ctx).Loop())
		core.Nearest(ctx).Cancel(errBoom) // from above: all of them descend from main
		grandchild.Wait(context.WithoutCancel(ctx))
		tr.want(t, "child:<nil> grandchild:context canceled: boom")
		if err := middle.Wait(context.WithoutCancel(ctx)); !errors.Is(err, errBoom) {
			t.Errorf("middle: %v", err)
		}
		return nil
	})
}

// A reason is set once, also when the scope's parent was cancelled otherwise
// and then ends.
func TestAReasonDoesNotChange(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var inner context.Context
		grand := Go(ctx, func(ctx context.Context) error {
			Go(ctx, func(ctx context.Context) error {
				kid := Go(ctx, func(ctx context.Context) error {
					inner = ctx
					return Sleep(context.WithoutCancel(ctx), time.Hour)
				})
				Yield(ctx)
				kid.Cancel(errBoom)
				Sleep(context.WithoutCancel(ctx), time.Second)
				return nil
			})
			return Sleep(context.WithoutCancel(ctx), time.Hour)
		})
		yields(ctx, 5)
		grand.Cancel(errOther)
		if Cause(inner) != errBoom {
			t.Errorf("after the outer cancellation: %v", Cause(inner))
		}
		Sleep(ctx, time.Minute)
		if Cause(inner) != errBoom {
			t.Errorf("after the maker's end: %v", Cause(inner))
		}
		return grand.Wait(ctx)
	})
}

func TestGuests(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		host := Go(ctx, func(ctx context.Context) error {
			for i := range 3 {
				Go(context.WithoutCancel(ctx), func(context.Context) error { // its own ctx stays
					err := Sleep(ctx, time.Duration(i+1)*time.Second)
					tr.add("%d:%v", i, err)
					return nil
				})
			}
			return Sleep(ctx, time.Hour)
		})
		Sleep(ctx, 1500*time.Millisecond)
		checkNow(t, core.Nearest(ctx).Loop())
		host.Cancel(errBoom)
		checkNow(t, core.Nearest(ctx).Loop())
		yields(ctx, 3)
		tr.want(t, "0:<nil> 1:context canceled: boom 2:context canceled: boom")
		host.Wait(ctx)
		return nil
	})
}

// A guest under the ctx of a task that ends is woken: that ctx is done.
func TestGuestsOfATaskThatEnds(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var err error
		Go(ctx, func(ctx context.Context) error {
			Go(ctx, func(context.Context) error { err = Sleep(ctx, time.Hour); return nil })
			return Yield(ctx)
		})
		yields(ctx, 5)
		if !hasEnded(err) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestWhatAScopeLeavesRunningIsCancelledWithIt(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var left *Task[struct{}]
		err := Timeout(ctx, time.Hour, func(ctx context.Context) error {
			left = Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			return Yield(ctx)
		})
		if err := left.Wait(ctx); !hasEnded(err) {
			t.Errorf("left: %v", err)
		}
		return err
	})
}

func TestDeadlineOfAScope(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); ok {
			t.Error("main has a deadline")
		}
		start := time.Now()
		return Timeout(ctx, time.Minute, func(ctx context.Context) error {
			d, ok := ctx.Deadline()
			if !ok || d.Sub(start) > time.Minute+time.Second || d.Sub(start) < time.Minute-10*time.Second {
				t.Errorf("deadline in %v", d.Sub(start))
			}
			return Timeout(ctx, time.Hour, func(ctx context.Context) error {
				if inner, ok := ctx.Deadline(); !ok || !inner.Equal(d) {
					t.Errorf("an inner scope says %v, the outer %v", inner, d)
				}
				return Go(ctx, func(ctx context.Context) error {
					if kid, ok := ctx.Deadline(); !ok || !kid.Equal(d) {
						t.Errorf("a task in it says %v", kid)
					}
					return nil
				}).Wait(ctx)
			})
		})
	})
}

func TestCancelBeforeStart(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ran := false
		task := Go(ctx, func(ctx context.Context) error {
			ran = true
			return Sleep(ctx, time.Hour)
		})
		if !task.Cancel(errBoom) || task.Cancel(errBoom) {
			t.Error("Cancel is true exactly once")
		}
		if err := task.Wait(ctx); !ran || !errors.Is(err, errBoom) {
			t.Errorf("ran %v, %v", ran, err)
		}
		return nil
	})
}

// hasEnded reports whether err says that the task or scope of a ctx has ended.
func hasEnded(err error) bool {
	return err != nil && strings.Contains(err.Error(), "the task or scope that this ctx belongs to has ended")
}
