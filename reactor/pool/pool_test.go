package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/virtual"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/pool"
)

var errBoom = errors.New("boom")

// A factory makes resources that notice when they are used or closed wrongly.
type factory struct {
	t            testing.TB
	made, closed int
	max          int // how many may be open
	fails        func() bool
	delay        func(ctx context.Context) error
}

type thing struct {
	f      *factory
	closed bool
	users  int
	broken bool
}

func (f *factory) dial(ctx context.Context) (*thing, error) {
	f.made++
	if open := f.made - f.closed; open > f.max {
		f.t.Errorf("%d are open; %d may be", open, f.max)
	}
	if f.delay != nil {
		if err := f.delay(ctx); err != nil {
			f.made--
			return nil, err
		}
	}
	if f.fails != nil && f.fails() {
		f.made--
		return nil, errBoom
	}
	return &thing{f: f}, nil
}

func (c *thing) use() {
	if c.users++; c.users > 1 || c.closed {
		c.f.t.Errorf("%d users at a time; closed: %v", c.users, c.closed)
	}
}

func (c *thing) leave() { c.users-- }

func (c *thing) Close() error {
	if c.closed || c.users > 0 {
		c.f.t.Errorf("closed in use by %d; twice: %v", c.users, c.closed)
	}
	c.closed = true
	c.f.closed++
	return nil
}

// run runs main in virtual time, and looks for leaks.
func run(t testing.TB, main func(ctx context.Context) error) {
	t.Helper()
	defer testkit.LeakCheck(t)()
	v := virtual.New(t)
	err := reactor.Options{Clock: v, Poller: v, OnError: func(r reactor.Report) {
		t.Errorf("reported: %s: %v", r.What, r.Err)
	}}.Run(context.Background(), main)
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}

// settle lets everything happen that needs no time.
func settle(ctx context.Context) {
	for range 8 {
		reactor.Yield(ctx)
	}
}

// A model is what a pool is meant to be, for resources that take no time.
type model struct {
	max, idle, made, closed int
	over                    bool
	leased, waiting         []int
	outcome                 map[int]string // of each Get
}

func (m *model) get(id int) {
	switch {
	case m.over:
		m.outcome[id] = "closed"
	case len(m.leased) < m.max:
		m.lease(id)
	default:
		m.waiting = append(m.waiting, id)
	}
}

func (m *model) lease(id int) {
	m.leased = append(m.leased, id)
	m.outcome[id] = "got one"
	if m.idle > 0 {
		m.idle--
	} else {
		m.made++
	}
}

func (m *model) next() {
	if len(m.waiting) > 0 && len(m.leased) < m.max {
		id := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.lease(id)
	}
}

func (m *model) step(op byte, id int) {
	switch op {
	case 'g':
		m.get(id)
	case 'c':
		if len(m.waiting) > 0 {
			m.outcome[m.waiting[0]] = "cancelled"
			m.waiting = m.waiting[1:]
		}
	case 'r', 'd':
		if len(m.leased) == 0 {
			return
		}
		m.leased = m.leased[1:]
		if op == 'd' || m.over {
			m.closed++
		} else {
			m.idle++
		}
		m.next()
	case 'x':
		m.over = true
		for _, id := range m.waiting {
			m.outcome[id] = "closed"
		}
		m.waiting = nil
		m.closed += m.idle
		m.idle = 0
	case 'e':
		m.closed += m.idle
		m.idle = 0
	}
}

// A subject is a pool on which the same is done.
type subject struct {
	p       *pool.Pool[*thing]
	leased  []*pool.Lease[*thing]
	waiting []*reactor.Task[struct{}]
	outcome map[int]string
}

func (s *subject) step(ctx context.Context, op byte, id int) {
	switch op {
	case 'g':
		var task *reactor.Task[struct{}]
		task = reactor.Go(ctx, func(ctx context.Context) error {
			l, err := s.p.Get(ctx)
			s.waiting = slices.DeleteFunc(s.waiting, func(w *reactor.Task[struct{}]) bool { return w == task })
			switch {
			case err == nil:
				s.outcome[id] = "got one"
				s.leased = append(s.leased, l)
			case errors.Is(err, reactor.ErrClosed):
				s.outcome[id] = "closed"
			default:
				s.outcome[id] = "cancelled"
			}
			return nil
		})
		s.waiting = append(s.waiting, task)
	case 'c':
		if len(s.waiting) > 0 {
			s.waiting[0].Cancel(nil)
		}
	case 'r', 'd':
		if len(s.leased) == 0 {
			return
		}
		l := s.leased[0]
		s.leased = s.leased[1:]
		if op == 'r' {
			l.Release()
		} else {
			l.Discard()
		}
		l.Discard() // does nothing
	case 'x':
		reactor.Timeout(ctx, 0, s.p.Close) // does not wait
	case 'e':
		reactor.Sleep(ctx, time.Minute)
	}
}

// Whatever is done to a pool, in any order, it does what the model does: tasks are
// served in their order, and nothing is lost, used twice or forgotten.
func TestPoolIsItsModel(t *testing.T) {
	const ops, length = "gcrdxe", 5
	for most := 1; most <= 2; most++ {
		run(t, func(ctx context.Context) error {
			program := make([]byte, length)
			for n := range pow(len(ops), length) {
				for i := range program {
					program[i] = ops[n%len(ops)]
					n /= len(ops)
				}
				if !strings.Contains(string(program), "gg") {
					continue // they are contained in others
				}
				if msg := compare(ctx, t, most, string(program)); msg != "" {
					t.Fatalf("at most %d, %s: %s", most, program, msg)
				}
			}
			return nil
		})
	}
}

func pow(base, n int) int {
	p := 1
	for range n {
		p *= base
	}
	return p
}

func compare(ctx context.Context, t *testing.T, most int, program string) string {
	f := &factory{t: t, max: most}
	m := &model{max: most, outcome: map[int]string{}}
	s := &subject{p: pool.New(ctx, pool.Config[*thing]{Dial: f.dial, Max: most, IdleTime: time.Second}), outcome: map[int]string{}}
	for id, op := range []byte(program) {
		m.step(op, id)
		s.step(ctx, op, id)
		settle(ctx)
		got := fmt.Sprint(s.outcome, f.made, f.closed, s.p.Stats())
		want := fmt.Sprint(m.outcome, m.made, m.closed, pool.Stats{
			Open: m.made - m.closed, Idle: m.idle, Leased: len(m.leased), Waiting: len(m.waiting),
		})
		if got != want {
			return fmt.Sprintf("after step %d: %s, and the model %s", id, got, want)
		}
	}
	for len(s.leased) > 0 {
		s.step(ctx, 'r', 0)
		settle(ctx)
	}
	if err := s.p.Close(ctx); err != nil || f.made != f.closed {
		return fmt.Sprintf("at the end: %v; %d made, %d closed", err, f.made, f.closed)
	}
	return ""
}

// In any turmoil of tasks that are cancelled, fail, and take their time, no more are
// open than may be, each has one user at a time, and all are closed at the end. That may
// come at any time: from then on nobody gets one.
func TestPoolInTurmoil(t *testing.T) {
	for seed := range uint64(100) {
		run(t, func(ctx context.Context) error {
			dice := rand.New(rand.NewPCG(seed, 0))
			often := func() bool { return dice.IntN(4) == 0 }
			some := func() time.Duration { return time.Duration(dice.IntN(20)) * time.Millisecond }
			f := &factory{t: t, max: 3, fails: often, delay: func(ctx context.Context) error { return reactor.Sleep(ctx, some()) }}
			p := pool.New(ctx, pool.Config[*thing]{
				Dial: f.dial, Max: f.max, IdleTime: 15 * time.Millisecond, Lifetime: 40 * time.Millisecond,
				Check: func(ctx context.Context, c *thing) error {
					if err := reactor.Sleep(ctx, some()); err != nil || !often() {
						return err
					}
					return errBoom
				},
				Close: func(ctx context.Context, c *thing) error {
					reactor.Sleep(ctx, some())
					return c.Close()
				},
				Keep: func(c *thing, err error) bool { return !c.broken },
			})
			over := false
			if seed%2 == 0 {
				reactor.LoopOf(ctx).CallLater(10*some(), func() {
					reactor.Go(ctx, func(ctx context.Context) error {
						over = true
						err := p.Close(ctx)
						if f.made != f.closed {
							t.Errorf("seed %d: Close has returned, %d made, %d closed", seed, f.made, f.closed)
						}
						return err
					})
				})
			}
			err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				for range 30 {
					g.Go(func(ctx context.Context) error {
						_, err := reactor.MoveOnAfter(ctx, 3*some(), func(ctx context.Context) error {
							return p.Do(ctx, func(ctx context.Context, c *thing) error {
								if over {
									t.Errorf("seed %d: it got one of a closed pool", seed)
								}
								c.use()
								defer c.leave()
								if err := reactor.Sleep(ctx, some()); err != nil {
									return err
								}
								if c.broken = often(); often() {
									return errBoom
								}
								return nil
							})
						})
						if errors.Is(err, errBoom) || over && errors.Is(err, reactor.ErrClosed) {
							err = nil
						}
						return err
					})
					reactor.Sleep(ctx, some()/4)
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
			if seed%2 == 1 { // nothing was lost: all can be had
				err := reactor.Timeout(ctx, time.Minute, func(ctx context.Context) error {
					for leased := 0; leased < f.max; {
						l, err := p.Get(ctx)
						if err == nil {
							leased++
							defer l.Release()
						} else if !errors.Is(err, errBoom) {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Errorf("seed %d: of %d: %v", seed, f.max, err)
				}
			}
			if err := p.Close(ctx); err != nil {
				return err
			}
			if s := p.Stats(); s != (pool.Stats{}) || f.made != f.closed {
				t.Errorf("seed %d: %+v; %d made, %d closed", seed, s, f.made, f.closed)
			}
			return nil
		})
	}
}

// What Do does with a resource depends on how the function ends.
func TestDo(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(ctx context.Context, cancel func()) error
		keep bool
		idle int
	}{
		{"success", func(context.Context, func()) error { return nil }, false, 1},
		{"failure", func(context.Context, func()) error { return errBoom }, false, 0},
		{"failure to be kept", func(context.Context, func()) error { return errBoom }, true, 1},
		{"cancelled", func(ctx context.Context, cancel func()) error { cancel(); return nil }, true, 0},
		{"a panic", func(context.Context, func()) error { panic("boom") }, true, 0},
	} {
		run(t, func(ctx context.Context) error {
			f := &factory{t: t, max: 1}
			p := pool.New(ctx, pool.Config[*thing]{Dial: f.dial, Max: 1, Keep: func(*thing, error) bool { return c.keep }})
			reactor.Go(ctx, func(ctx context.Context) error {
				return reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
					return p.Do(ctx, func(ctx context.Context, _ *thing) error {
						return c.f(ctx, func() { s.Cancel(nil) })
					})
				})
			}).Wait(ctx)
			settle(ctx)
			if s := p.Stats(); s.Idle != c.idle || s.Leased != 0 || f.made-f.closed != c.idle {
				t.Errorf("%s: %+v; %d made, %d closed", c.name, s, f.made, f.closed)
			}
			return nil
		})
	}
}

// Resources are closed when they have been idle, or have lived, for long enough, and
// not before.
func TestExpiry(t *testing.T) {
	for name, c := range map[string]struct {
		idle, life time.Duration
		wants      string // made and closed, each second
	}{
		"idle":     {idle: 3 * time.Second, wants: "1-0 1-0 1-0 1-0 1-0 1-0 1-1 1-1 1-1"},
		"lifetime": {life: 5 * time.Second, wants: "1-0 1-0 1-0 1-0 1-0 1-1 1-1 1-1 1-1"},
		"both":     {idle: 3 * time.Second, life: 8 * time.Second, wants: "1-0 1-0 1-0 1-0 1-0 1-0 1-1 1-1 1-1"},
		"neither":  {wants: "1-0 1-0 1-0 1-0 1-0 1-0 1-0 1-0 1-0"},
	} {
		run(t, func(ctx context.Context) error {
			f := &factory{t: t, max: 1}
			p := pool.New(ctx, pool.Config[*thing]{Dial: f.dial, Max: 1, IdleTime: c.idle, Lifetime: c.life})
			var got []string
			for second := range 9 {
				if second <= 3 { // it is used three times, the last time at 3 s
					if err := p.Do(ctx, func(context.Context, *thing) error { return nil }); err != nil {
						return err
					}
				}
				settle(ctx)
				got = append(got, fmt.Sprintf("%d-%d", f.made, f.closed))
				reactor.Sleep(ctx, time.Second)
			}
			if text := strings.Join(got, " "); text != c.wants {
				t.Errorf("%s: %s, want %s", name, text, c.wants)
			}
			return nil
		})
	}
}

// One that outlives its time in use is closed when it is given back; one that has
// been idle for long is checked.
func TestWhatIsUsedAgain(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := &factory{t: t, max: 1}
		checks, bad := 0, false
		p := pool.New(ctx, pool.Config[*thing]{
			Dial: f.dial, Max: 1, Lifetime: time.Minute, CheckAfter: time.Second,
			Check: func(context.Context, *thing) error {
				if checks++; bad {
					return errBoom
				}
				return nil
			},
		})
		use := func(d time.Duration) {
			t.Helper()
			if err := p.Do(ctx, func(ctx context.Context, _ *thing) error { return reactor.Sleep(ctx, d) }); err != nil {
				t.Error(err)
			}
			settle(ctx)
		}
		want := func(made, closed, checked int) {
			t.Helper()
			if f.made != made || f.closed != closed || checks != checked {
				t.Errorf("%d made, %d closed, %d checked; want %d, %d, %d", f.made, f.closed, checks, made, closed, checked)
			}
		}
		use(0)
		use(0)
		want(1, 0, 0)
		reactor.Sleep(ctx, time.Second)
		use(0)
		want(1, 0, 1)
		bad = true
		reactor.Sleep(ctx, time.Second)
		use(time.Hour)
		want(2, 2, 2)
		return nil
	})
}

// A pool is closed with its ctx: what is idle at once, the rest when it is given back;
// those who wait learn of it.
func TestPoolEndsWithItsCtx(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := &factory{t: t, max: 2}
		var p *pool.Pool[*thing]
		var held *pool.Lease[*thing]
		var waiting *reactor.Task[struct{}]
		err := reactor.Scope(ctx, func(inner context.Context, _ *reactor.CancelScope) (err error) {
			p = pool.New(inner, pool.Config[*thing]{Dial: f.dial, Max: 2})
			idle, err := p.Get(inner)
			if err != nil {
				return err
			}
			if held, err = p.Get(inner); err != nil {
				return err
			}
			waiting = reactor.Go(ctx, func(ctx context.Context) error {
				for {
					if _, err := p.Get(ctx); err != nil {
						return err
					}
				}
			})
			settle(ctx)
			idle.Discard()
			settle(ctx)
			return nil
		})
		if err != nil {
			return err
		}
		if err := waiting.Wait(ctx); !errors.Is(err, reactor.ErrClosed) {
			t.Errorf("the one that waits: %v", err)
		}
		held.Release()
		settle(ctx)
		if s := p.Stats(); s.Idle != 0 || f.closed != 2 {
			t.Errorf("%+v; %d closed", s, f.closed)
		}
		return nil
	})
}

// Close waits until what is in use has been given back.
func TestCloseWaits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := &factory{t: t, max: 1}
		p := pool.New(ctx, pool.Config[*thing]{Dial: f.dial, Max: 1})
		l, err := p.Get(ctx)
		if err != nil {
			return err
		}
		if err := reactor.Timeout(ctx, time.Second, p.Close); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it is in use: %v", err)
		}
		closing := reactor.Go(ctx, p.Close)
		settle(ctx)
		if closing.Finished() || f.closed != 0 {
			t.Error("it did not wait")
		}
		l.Release()
		if err := closing.Wait(ctx); err != nil || f.closed != 1 {
			t.Errorf("%v; %d closed", err, f.closed)
		}
		return p.Close(ctx)
	})
}

// A task that is cancelled while it checks one resource has not looked at the others.
func TestCancelledCheck(t *testing.T) {
	run(t, func(ctx context.Context) error {
		f := &factory{t: t, max: 2}
		p := pool.New(ctx, pool.Config[*thing]{
			Dial: f.dial, Max: 2,
			Check: func(ctx context.Context, _ *thing) error { return reactor.Sleep(ctx, time.Hour) },
		})
		var leases []*pool.Lease[*thing]
		for range 2 {
			l, err := p.Get(ctx)
			if err != nil {
				return err
			}
			leases = append(leases, l)
		}
		for _, l := range leases {
			l.Release()
		}
		err := reactor.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, err := p.Get(ctx)
			return err
		})
		if s := p.Stats(); !errors.Is(err, context.DeadlineExceeded) || s.Idle != 1 || f.closed != 1 {
			t.Errorf("%v; %+v; %d closed", err, s, f.closed)
		}
		return nil
	})
}
