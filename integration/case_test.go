package integration

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

// An order is what a process of its own is to check. A loop that stands can't be
// interrupted, so that the process must end with it.
type order struct {
	Library string
	Place   string
	Checks  []string
	Addr    map[string]string
	Limit   map[string]time.Duration // after which a check has failed
	Measure time.Duration            // the length of a round
}

// A verdict is what came of a check.
type verdict struct {
	Check  string
	Word   string // one of the words below
	Detail string

	// Of a speed check: what an operation takes with Go's net, and in the place;
	// and for how long at most it held the loop.
	Std, Here, Held time.Duration
}

// What a check can come to. A call that returns too late stands if the loop does too.
const (
	yes    = "yes"
	no     = "no"
	stands = "stands"
)

var checks = map[string]func(*library, *stage, order, *verdict) error{
	"works":    works,
	"deadline": obeysDeadline,
	"cancel":   obeysCancel,
	"speed":    speed,
}

// orderVariable is the environment variable that makes this program carry out an order.
const orderVariable = "EDDY_INTEGRATION_ORDER"

// carryOut does what an order says, and prints a verdict for each check, until one
// does not come to an end.
func carryOut(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	for _, l := range libraries {
		if l.name != o.Library {
			continue
		}
		for _, c := range o.Checks {
			judge(l, c, o)
		}
		return nil
	}
	return fmt.Errorf("there is no library %s", o.Library)
}

// judge does one check. If it takes too long the process ends.
func judge(l *library, check string, o order) {
	v := &verdict{Check: check, Word: yes}
	var mu sync.Mutex // over printing
	var p *pulse
	limit := o.Limit[check]
	watchdog := time.AfterFunc(limit, func() {
		mu.Lock()
		late := &verdict{Check: check, Word: no, Detail: "not done after " + limit.String() + "\n" + stacks()}
		if p != nil && p.stands(limit/2) {
			late.Word = stands
		}
		print(late)
		os.Exit(0)
	})
	err := placeOf(o.Place).run(o.Addr, func(s *stage) error {
		mu.Lock()
		p = s.pulse
		mu.Unlock()
		if p != nil && check != "speed" {
			defer p.start(time.Millisecond)()
		}
		return checks[check](l, s, o, v)
	})
	mu.Lock()
	watchdog.Stop()
	if err != nil {
		v.Word, v.Detail = no, err.Error()
	}
	print(v)
	mu.Unlock()
}

func print(v *verdict) { json.NewEncoder(os.Stdout).Encode(v) }

func stacks() string {
	var b bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&b, 1)
	return b.String()
}

// with opens a client, calls f with it, and closes it.
func with(l *library, s *stage, f func(c *client) error) error {
	var c *client
	err := s.call(s.ctx, func(ctx context.Context) (err error) {
		c, err = l.open(ctx, s.at)
		return err
	})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	err = f(c)
	closed := s.call(s.ctx, func(context.Context) error {
		c.close()
		return nil
	})
	if err == nil {
		err = closed
	}
	return err
}

func works(l *library, s *stage, _ order, _ *verdict) error {
	return with(l, s, func(c *client) error {
		for range 10 {
			if err := s.call(s.ctx, c.op); err != nil {
				return fmt.Errorf("an operation: %w", err)
			}
		}
		return nil
	})
}

func obeysDeadline(l *library, s *stage, _ order, _ *verdict) error { return obeys(l, s, s.within) }
func obeysCancel(l *library, s *stage, _ order, _ *verdict) error   { return obeys(l, s, s.cancelled) }

func obeys(l *library, s *stage, limited func(time.Duration, func(context.Context) error) error) error {
	return with(l, s, func(c *client) error {
		patience := cmp.Or(l.patience, 50*time.Millisecond)
		began := time.Now()
		err := limited(patience, func(ctx context.Context) error { return s.call(ctx, c.silent) })
		switch took := time.Since(began); {
		case err == nil:
			return fmt.Errorf("silence was answered")
		case took < patience/2:
			return fmt.Errorf("it did not wait: %w", err)
		}
		return nil
	})
}

// rounds is how often each side is measured. Its best round counts.
const rounds = 3

func speed(l *library, s *stage, o order, v *verdict) error {
	std := &stage{ctx: context.Background(), at: stdSite(o.Addr), call: plainCall}
	return with(l, std, func(base *client) error {
		return with(l, s, func(c *client) error {
			for range rounds {
				var took time.Duration
				var err error
				s.beside(func() { took, err = round(std, base, o.Measure) })
				if err != nil {
					return err
				}
				v.Std = least(v.Std, took)
				if took, err = round(s, c, o.Measure); err != nil {
					return err
				}
				v.Here = least(v.Here, took)
			}
			if s.pulse == nil {
				return nil
			}
			for range rounds {
				stop := s.pulse.start(100 * time.Microsecond)
				_, err := round(s, pausing(s, c), o.Measure)
				stop()
				if err != nil {
					return err
				}
				v.Held = least(v.Held, time.Duration(s.pulse.held.Load()))
			}
			return nil
		})
	})
}

// pausing is a client that pauses after each operation.
func pausing(s *stage, c *client) *client {
	if s.pause == nil {
		return c
	}
	return &client{op: func(ctx context.Context) error {
		defer s.pause()
		return c.op(ctx)
	}}
}

func least(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// round returns what an operation takes.
func round(s *stage, c *client, measure time.Duration) (time.Duration, error) {
	began := time.Now()
	for n := time.Duration(1); ; n++ {
		if err := s.call(s.ctx, c.op); err != nil {
			return 0, err
		}
		if took := time.Since(began); took >= measure {
			return took / n, nil
		}
	}
}
