package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/eddyio/eddy/reactor"
)

// over runs both ends of a channel of so many items: on one shard, and on two.
func over(t *testing.T, max int, put, get func(ctx context.Context, c *Channel[int]) error) {
	t.Helper()
	for shards := 1; shards <= 2; shards++ {
		first(t, shards, func(ctx context.Context, s *Shard[*counter]) error {
			c := NewChannel[int](s, s.Peer(shards-1), max)
			err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				g.Go(func(ctx context.Context) error { return put(ctx, c) })
				g.Go(func(ctx context.Context) error {
					_, err := Call(ctx, s.Peer(shards-1), func(ctx context.Context, _ *Shard[*counter]) (int, error) { return 0, get(ctx, c) })
					return err
				})
				return nil
			})
			verify(t, c)
			return err
		})
	}
}

// verify checks a channel that nobody uses: its invariants, and that it keeps no item alive
// that was taken.
func verify(t *testing.T, c *Channel[int]) {
	t.Helper()
	for _, e := range []*end{&c.put, &c.get} {
		if msg := e.check(); msg != "" {
			t.Error(msg)
		}
		if e.promised != 0 || !e.tasks.Empty() || e.parked.Load() != 0 {
			t.Errorf("%d are promised, and %d wait", e.promised, e.parked.Load())
		}
	}
	for i := c.get.at.Load() + uint32(c.Len()); i != c.get.at.Load()+uint32(len(c.items)); i++ {
		if x := c.items[i&uint32(len(c.items)-1)]; x != 0 {
			t.Errorf("%d is kept", x)
		}
	}
}

// Items arrive once, in order, and never more of them are on their way than there is
// room; whatever the room, whoever is faster, and when the counts wrap around.
func TestChannelKeepsTheOrder(t *testing.T) {
	const items = 3000
	for _, max := range []int{1, 2, 3, 7, 64, 5000} {
		t.Run(fmt.Sprint(max), func(t *testing.T) {
			put := func(ctx context.Context, c *Channel[int]) error {
				defer c.Close()
				for i := range items {
					if err := c.Put(ctx, i+1); err != nil {
						return err
					}
					if msg := c.put.check(); msg != "" || c.Len() > max {
						return fmt.Errorf("%d items, %s", c.Len(), msg)
					}
					if i%100 < 10 {
						reactor.Yield(ctx)
					}
				}
				return nil
			}
			get := func(ctx context.Context, c *Channel[int]) error {
				next := 1
				for i := range c.All(ctx) {
					if msg := c.get.check(); i != next || msg != "" {
						return fmt.Errorf("got %d, want %d; %s", i, next, msg)
					}
					if next++; i%77 < 7 {
						reactor.Yield(ctx)
					}
				}
				if _, err := c.Get(ctx); err != reactor.ErrClosed || next != items+1 {
					return fmt.Errorf("after %d: %v", next-1, err)
				}
				return nil
			}
			over(t, max, put, get)
		})
	}
}

// wound makes a channel's counts wrap around soon.
func wound(c *Channel[int]) {
	for _, e := range []*end{&c.put, &c.get} {
		e.at.Store(^uint32(9))
		e.seen = ^uint32(9)
	}
}

func TestChannelCountsWrapAround(t *testing.T) {
	first(t, 1, func(ctx context.Context, s *Shard[*counter]) error {
		c := NewChannel[int](s, s, 3)
		wound(c)
		for i := range 100 {
			for j := range 3 {
				c.Put(ctx, 3*i+j+1)
			}
			if err := c.TryPut(1); err != reactor.ErrFull || c.Len() != 3 {
				t.Errorf("with %d items: %v", c.Len(), err)
			}
			for j := range 3 {
				if got, err := c.Get(ctx); got != 3*i+j+1 || err != nil {
					t.Errorf("got %d, %v", got, err)
				}
			}
			if _, err := c.TryGet(); err != reactor.ErrEmpty || c.Len() != 0 {
				t.Errorf("with %d items: %v", c.Len(), err)
			}
			verify(t, c)
		}
		return nil
	})
}

// Many tasks at each end, which are cancelled at any moment: what was put is got, once,
// and what was put by one task is got in its order.
func TestChannelOfManyTasksThatAreCancelled(t *testing.T) {
	const tasks, items = 8, 300
	var put [tasks][]int
	var got []int
	compare := func() {
		for task, xs := range put {
			own := slices.DeleteFunc(slices.Clone(got), func(x int) bool { return (x-1)/items != task })
			if !slices.Equal(own, xs) {
				t.Errorf("of task %d %d items were put, and %d got", task, len(xs), len(own))
			}
		}
	}
	crowd := func(ctx context.Context, f func(ctx context.Context, task int) error) error {
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i := range tasks {
				g.Go(func(ctx context.Context) error { return f(ctx, i) })
			}
			return nil
		})
	}
	// attempt calls f under a scope that another task cancels after some turns.
	attempt := func(ctx context.Context, turns int, f func(ctx context.Context) error) error {
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			return reactor.Scope(ctx, func(inner context.Context, scope *reactor.CancelScope) error {
				g.Go(func(ctx context.Context) error {
					for range turns {
						reactor.Yield(ctx)
					}
					scope.Cancel(nil)
					return nil
				})
				return f(inner)
			})
		})
	}
	over(t, 5, func(ctx context.Context, c *Channel[int]) error {
		compare() // of the shards before
		put, got = [tasks][]int{}, nil
		defer c.Close()
		return crowd(ctx, func(ctx context.Context, task int) error {
			for i := range items {
				x := task*items + i + 1
				err := attempt(ctx, (task+i)%4, func(ctx context.Context) error { return c.Put(ctx, x) })
				if err == nil {
					put[task] = append(put[task], x)
				} else if !errors.Is(err, context.Canceled) {
					return err
				}
				if msg := c.put.check(); msg != "" {
					return errors.New(msg)
				}
			}
			return nil
		})
	}, func(ctx context.Context, c *Channel[int]) error {
		return crowd(ctx, func(ctx context.Context, task int) error {
			for i := 0; ; i++ {
				err := attempt(ctx, (task+i)%3, func(ctx context.Context) error {
					x, err := c.Get(ctx)
					if err == nil {
						got = append(got, x)
					}
					return err
				})
				if msg := c.get.check(); msg != "" {
					return errors.New(msg)
				}
				if err == reactor.ErrClosed {
					return nil
				} else if err != nil && !errors.Is(err, context.Canceled) {
					return err
				}
			}
		})
	})
	compare()
}

// The bound holds a sender back: it waits at the item for which there is no room.
func TestChannelHoldsTheSenderBack(t *testing.T) {
	first(t, 1, func(ctx context.Context, s *Shard[*counter]) error {
		c := NewChannel[int](s, s, 6)
		sent := 0
		sender := reactor.GoNow(ctx, func(ctx context.Context) error {
			for sent < 20 {
				if err := c.Put(ctx, sent+1); err != nil {
					return err
				}
				sent++
			}
			return nil
		})
		if st := c.Stats(); sent != 6 || st != (ChannelStats{Len: 6, Max: 6, Putting: 1}) || c.TryPut(1) != reactor.ErrFull {
			t.Errorf("%d were sent: %+v", sent, st)
		}
		if got := fmt.Sprint(&c.put); got != "room in a channel to shard 0, 6 of 6" {
			t.Errorf("it waits for %s", got)
		}
		// Two are less than half, so it is woken when this task has had its turn.
		c.TryGet()
		c.TryGet()
		if c.put.state.Load() != waiting {
			t.Error("it is called at once")
		}
		settle(ctx)
		if sent != 8 {
			t.Errorf("%d were sent with room for two", sent)
		}
		for range 3 {
			c.TryGet()
		}
		if c.put.state.Load() != called {
			t.Error("it is not called, when half of the channel is empty")
		}
		settle(ctx)
		if sent != 11 {
			t.Errorf("%d were sent with room for three", sent)
		}
		c.Close()
		if err := sender.Wait(ctx); err != reactor.ErrClosed || sent != 11 {
			t.Errorf("%d were sent; the sender's error is %v", sent, err)
		}
		for i := range 6 {
			if x, err := c.Get(ctx); x != i+6 || err != nil {
				t.Errorf("of the remaining items: %d, %v", x, err)
			}
		}
		verify(t, c)
		return nil
	})
}

// settle lets messages arrive, and all tasks run that they wake.
func settle(ctx context.Context) {
	for range 6 {
		reactor.Yield(ctx)
	}
}

// A message wakes a receiver, one for many items.
func TestChannelWakesOnceForMany(t *testing.T) {
	first(t, 1, func(ctx context.Context, s *Shard[*counter]) error {
		c := NewChannel[int](s, s, 64)
		var got []int
		for i := range 3 {
			reactor.GoNow(ctx, func(ctx context.Context) error {
				for range c.All(ctx) {
					got = append(got, i)
				}
				return nil
			})
		}
		if st := c.Stats(); st.Getting != 3 {
			t.Errorf("%+v", st)
		}
		if got := fmt.Sprint(&c.get); got != "an item in a channel from shard 0, 0 of 64" {
			t.Errorf("they wait for %s", got)
		}
		reactor.Yield(ctx)
		reactor.Yield(ctx)
		before := s.Loop().Metrics().Posts
		for i := range 50 {
			c.TryPut(i + 1)
		}
		settle(ctx)
		if n := s.Loop().Metrics().Posts - before; n != 1 || len(got) != 50 || !slices.Equal(slices.Compact(got), []int{0, 1, 2}) {
			t.Errorf("%d messages for %d items, to %v", n, len(got), got)
		}
		c.Close()
		settle(ctx)
		verify(t, c)
		return nil
	})
}

// A receiver that takes one item, and then waits for what the sender does next, is not
// forgotten.
func TestChannelInStep(t *testing.T) {
	for shards := 1; shards <= 2; shards++ {
		first(t, shards, func(ctx context.Context, s *Shard[*counter]) error {
			there := s.Peer(shards - 1)
			c, back := NewChannel[int](s, there, 9), NewChannel[int](there, s, 1)
			return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					_, err := Call(ctx, there, func(ctx context.Context, _ *Shard[*counter]) (int, error) {
						for range 200 {
							if _, err := c.Get(ctx); err != nil {
								return 0, err
							}
							if err := back.Put(ctx, 1); err != nil {
								return 0, err
							}
						}
						return 0, nil
					})
					return err
				})
				for i := range 8 {
					if err := c.Put(ctx, i+1); err != nil {
						return err
					}
				}
				for i := range 200 - 8 {
					if err := c.Put(ctx, i+9); err != nil {
						return err
					}
					if _, err := back.Get(ctx); err != nil {
						return err
					}
				}
				for range 8 {
					if _, err := back.Get(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// Close ends the waits at both ends, whoever calls it.
func TestChannelCloseEndsWaits(t *testing.T) {
	closers := map[string]func(ctx context.Context, c *Channel[int], s *Shard[*counter]){
		"the sender":  func(_ context.Context, c *Channel[int], _ *Shard[*counter]) { c.Close() },
		"a goroutine": func(_ context.Context, c *Channel[int], _ *Shard[*counter]) { go c.Close() },
		"the receiver": func(_ context.Context, c *Channel[int], s *Shard[*counter]) {
			s.Peer(1).Post(func(*Shard[*counter]) { c.Close() })
		},
	}
	for name, end := range closers {
		t.Run(name, func(t *testing.T) {
			first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
				full, empty := NewChannel[int](s, s.Peer(1), 1), NewChannel[int](s, s.Peer(1), 1)
				full.Put(ctx, 1)
				return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
					g.Go(func(ctx context.Context) error {
						if err := full.Put(ctx, 2); err != reactor.ErrClosed {
							t.Errorf("Put returned %v", err)
						}
						if full.TryPut(2) != reactor.ErrClosed {
							t.Error("TryPut has put")
						}
						return nil
					})
					g.Go(func(ctx context.Context) error {
						_, err := Call(ctx, s.Peer(1), func(ctx context.Context, _ *Shard[*counter]) (int, error) {
							if _, err := empty.Get(ctx); err != reactor.ErrClosed {
								t.Errorf("Get returned %v", err)
							}
							if _, err := empty.TryGet(); err != reactor.ErrClosed {
								t.Errorf("TryGet returned %v", err)
							}
							return 0, nil
						})
						return err
					})
					for full.Stats().Putting == 0 || empty.Stats().Getting == 0 {
						reactor.Yield(ctx)
					}
					end(ctx, full, s)
					end(ctx, empty, s)
					return nil
				})
			})
		})
	}
}

// A channel that is never empty, nor full, does not keep its loop from other tasks.
func TestChannelLetsOthersRun(t *testing.T) {
	first(t, 1, func(ctx context.Context, s *Shard[*counter]) error {
		c := NewChannel[int](s, s, 8)
		ran := false
		reactor.Go(ctx, func(context.Context) error { ran = true; return nil })
		for i := 0; !ran; i++ {
			if i > fair {
				t.Errorf("no other task has run during %d items", i)
				break
			}
			c.Put(ctx, 1)
			c.Get(ctx)
		}
		return nil
	})
}

// A deadlock of a program that has one shard is reported, with what its task waits for.
func TestChannelDeadlock(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var reported error
	p := program(1, func(ctx context.Context, s *Shard[*counter]) error {
		_, err := NewChannel[int](s, s, 8).Get(ctx)
		return err
	})
	p.Loop.OnError = func(r reactor.Report) {
		reported = r.Err
		cancel()
	}
	p.Run(ctx)
	if d, ok := errors.AsType[*reactor.DeadlockError](reported); !ok || !strings.Contains(d.Error(), "an item in a channel from shard 0, 0 of 8") {
		t.Errorf("the report is %v", reported)
	}
}

func TestChannelMisuse(t *testing.T) {
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		refused := func(want string, f func()) {
			t.Helper()
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("panic: %v", p)
				}
			}()
			f()
		}
		c := NewChannel[int](s, s.Peer(1), 1)
		refused("Channel.Get called outside of shard 1: the channel leads from shard 0 to shard 1", func() { c.Get(ctx) })
		refused("Channel.TryGet called outside of shard 1", func() { c.TryGet() })
		back := NewChannel[int](s.Peer(1), s, 1)
		refused("Channel.Put called outside of shard 1", func() { back.Put(ctx, 1) })
		refused("Channel.TryPut called outside of shard 1", func() { back.TryPut(1) })
		refused("room for 0 items", func() { NewChannel[int](s, s, 0) })
		return nil
	})
}

func TestChannelDoesNotAllocate(t *testing.T) {
	first(t, 1, func(ctx context.Context, s *Shard[*counter]) error {
		c := NewChannel[int](s, s, 4)
		echo := NewChannel[int](s, s, 4)
		reactor.Go(ctx, func(ctx context.Context) error {
			defer echo.Close()
			for i := range c.All(ctx) {
				if err := echo.Put(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
		// Each waits for the other.
		if n := testing.AllocsPerRun(1000, func() { c.Put(ctx, 1); echo.Get(ctx) }); n != 0 {
			t.Errorf("%v allocations there and back", n)
		}
		c.Close()
		return nil
	})
}

// What a shard writes for each item is on no cache line that holds anything else that the
// other one writes, or reads for each item.
func TestChannelLayout(t *testing.T) {
	const line = 64
	var c Channel[int]
	base := uintptr(unsafe.Pointer(&c))
	at := func(p unsafe.Pointer) uintptr { return uintptr(p) - base }
	type area struct {
		name     string
		from, to uintptr
	}
	hot := func(name string, e *end) []area {
		return []area{
			{name + "'s own", at(unsafe.Pointer(&e.at)), at(unsafe.Pointer(&e.of)) + unsafe.Sizeof(e.of)},
			{name + "'s state", at(unsafe.Pointer(&e.state)), at(unsafe.Pointer(&e.message)) + unsafe.Sizeof(e.message)},
		}
	}
	areas := append([]area{{"the items", 0, at(unsafe.Pointer(&c.closed)) + 1}}, hot("put", &c.put)...)
	areas = append(areas, hot("get", &c.get)...)
	for i := range areas[1:] {
		if before, x := areas[i], areas[i+1]; x.from < before.to+line-1 {
			t.Errorf("%s begins %d bytes after %s", x.name, x.from-before.to, before.name)
		}
	}
}

// Whatever the other end does between a look and the wait for it is seen, at both ends,
// and causes one message if it comes after that.
func TestChannelLosesNoWake(t *testing.T) {
	ends := map[string]struct {
		of     func(c *Channel[int]) *end
		before func(c *Channel[int]) // so that the end finds nothing to do
		act    func(c *Channel[int])
	}{
		"get, put":   {func(c *Channel[int]) *end { return &c.get }, func(c *Channel[int]) {}, func(c *Channel[int]) { c.push(1) }},
		"get, close": {func(c *Channel[int]) *end { return &c.get }, func(c *Channel[int]) {}, func(c *Channel[int]) { c.Close() }},
		"put, get":   {func(c *Channel[int]) *end { return &c.put }, func(c *Channel[int]) { c.push(1) }, func(c *Channel[int]) { c.get.allowed(); c.pop() }},
		"put, close": {func(c *Channel[int]) *end { return &c.put }, func(c *Channel[int]) { c.push(1) }, func(c *Channel[int]) { c.Close() }},
	}
	for name, x := range ends {
		t.Run(name, func(t *testing.T) {
			first(t, 1, func(ctx context.Context, s *Shard[*counter]) error {
				fresh := func() (*Channel[int], *end) {
					c := NewChannel[int](s, s, 1)
					x.before(c)
					if e := x.of(c); e.allowed() != 0 {
						t.Errorf("there is %d to do", e.allowed())
					}
					return c, x.of(c)
				}
				c, e := fresh()
				x.act(c)
				if !e.arm() || e.state.Load() != awake {
					t.Error("what came before the wait is not seen")
				}
				c, e = fresh()
				if e.arm() || e.state.Load() != waiting {
					t.Error("it does not wait")
				}
				x.act(c)
				if e.state.Load() != called {
					t.Error("it is not called")
				}
				if e.arm() || e.state.Load() != called { // by a task that does not know
					t.Error("it can be called twice at a time")
				}
				settle(ctx)
				if e.state.Load() != awake {
					t.Error("the message does not arrive")
				}
				return nil
			})
		})
	}
}
