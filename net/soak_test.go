package net

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

var soak = flag.Bool("net.soak", false, "TestSoak holds 10,000 connections for ten seconds, instead of 2,000 for one")

// TestSoak: a server, in its own process, holds thousands of connections, which
// all exchange messages now and then, while a hundred others a second come and
// go. Nothing fails, and at the end it has no more fds than at the beginning.
// It prints the server's memory per connection.
func TestSoak(t *testing.T) {
	conns, span := testkit.Times(500, 2000), time.Second
	if *soak {
		conns, span = 10_000, 10*time.Second
	}
	if limit := raiseLimit(); limit < uint64(conns+1000) {
		t.Skipf("a process may have %d fds here, and %d connections need more", limit, conns)
	}
	ch := spawn(t, "echo")
	fds, bytes := ch.ask(t, "fds"), ch.ask(t, "memory")
	s := &soaking{addr: ch.second, choose: rand.New(rand.NewPCG(1, 0))}
	run(t, func(ctx context.Context) {
		s.hold(t, ctx, conns)
		const every = 10 * time.Millisecond
		start := time.Now()
		for came := 0; time.Since(start) < span; reactor.Sleep(ctx, every) {
			for ; time.Duration(came)*every < time.Since(start); came++ {
				s.visitor(ctx, came)
			}
		}
		var each int
		outside(t, ctx, func() error {
			if n := ch.ask(t, "fds"); n < fds+conns {
				t.Errorf("the server has %d fds, had %d", n, fds)
			}
			each = (ch.ask(t, "memory") - bytes) / conns
			return nil
		})
		t.Logf("%d connections: %d messages, and %d visitors in %v; a connection costs the server %d bytes of memory",
			conns, s.messages, s.visitors, span, each)
		s.over = true
		for _, task := range s.tasks {
			if err := task.Wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if s.messages < conns || s.visitors == 0 {
			t.Errorf("%d messages, %d visitors", s.messages, s.visitors)
		}
	})
	ch.settle(t, fds)
	if log := ch.log.String(); log != "" {
		t.Error("the server said:", log)
	}
	ch.quit(t)
}

// soaking is the clients' side.
type soaking struct {
	addr     string
	choose   *rand.Rand
	tasks    []*reactor.Task[struct{}]
	messages int
	visitors int
	over     bool
}

// hold makes connections that exchange a message now, and then about once a
// second.
func (s *soaking) hold(t *testing.T, ctx context.Context, conns int) {
	t.Helper()
	for i := range conns {
		c, err := Dial(ctx, "tcp", s.addr)
		if err != nil {
			t.Fatal(i, err)
		}
		if err := s.say(c, i); err != nil {
			t.Fatal(i, err)
		}
		s.tasks = append(s.tasks, reactor.Go(ctx, func(ctx context.Context) error {
			defer c.Close()
			for !s.over {
				wait := time.Duration(s.choose.IntN(1000)) * time.Millisecond
				if err := reactor.Sleep(ctx, wait); err != nil {
					return err
				}
				if err := s.say(c, i); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func (s *soaking) say(c Conn, i int) error {
	s.messages++
	return said(c, fmt.Sprintf("connection %d, message %d", i, s.messages))
}

// visitor connects, exchanges messages and leaves.
func (s *soaking) visitor(ctx context.Context, i int) {
	s.tasks = append(s.tasks, reactor.Go(ctx, func(ctx context.Context) error {
		c, err := Dial(ctx, "tcp", s.addr)
		if err != nil {
			return err
		}
		defer c.Close()
		s.visitors++
		return s.say(c, -i)
	}))
}
