package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// nodes is how many there are, and majority how many it takes so that any two
// majorities have a node in common.
const nodes, majority = 3, 2

// For the time of a lease, by its own clock, a node that granted it grants no
// other. Its holder counts from before it asked, and stops a tenth earlier: so
// clocks may run 5% too fast or too slow, and what time they show does not matter.
const lease, margin = 3 * time.Second, lease / 10

// The nodes try to lead by turns: at the same time, they would be in each other's
// way, and what each had granted would have to pass first.
const turn = lease / 20

// A node keeps a copy of the counter, and leads the others at times.
//
// Terms are Paxos' ballots, and each belongs to one node (term % nodes). A node that wants
// to lead a term has it granted by a majority, which promise to take nothing more
// of lower terms, and tell their states. It goes on from the latest of these. A
// state is committed once a majority has taken it.
//
// Invariants:
//
//  1. An acknowledged increment is never lost. It was committed: a majority took
//     its state, or one that includes it. The majority that grants a later term
//     has a node in common with that one, which tells this state or a later one;
//     for had it granted the term before, it would not have taken the state. No
//     clock matters for this.
//  2. A read sees all increments that were acknowledged before it began. Only who
//     holds the lease answers it, with what it has committed. For another leader
//     to commit more, a majority must have granted it a lease: one of them
//     granted the holder's too, and grants no other before that is over.
//  3. Therefore at most one node holds the lease at a time, if clocks keep within
//     the margin. If not, reads may be stale, and 1 still holds.
//
// What 1 needs is on disk before a node answers. Who holds a lease is not: a node
// that starts does not know what it has granted, and so grants nothing until any
// such lease is over.
type node struct {
	id    int
	addrs []string
	store store
	log   *slog.Logger

	mu     reactor.Mutex // held while rec changes, for that suspends
	rec    record        // what the store has
	holder uint64        // the term that was granted a lease last
	until  time.Time     // and until when, by this node's clock
	lead   *leader       // while this node leads
}

// run is the node's life: it answers the others and clients, and tries to lead
// when nobody has a lease.
func (n *node) run(ctx context.Context) (err error) {
	if n.rec, err = n.store.load(ctx); err != nil {
		return err
	}
	n.until = reactor.Now(ctx).Add(lease)
	ln, err := net.Listen(ctx, "tcp", n.addrs[n.id])
	if err != nil {
		return err
	}
	n.log.Info("listening", "address", ln.Addr())
	s := net.Server{Logger: n.log, Grace: -1}
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(func(ctx context.Context) error { return s.Serve(ctx, ln, n.serve) })
		for {
			wait := n.until.Sub(reactor.Now(ctx))
			if wait <= 0 {
				n.campaign(ctx)
				wait = nodes * turn
			}
			if err := reactor.Sleep(ctx, wait+time.Duration(n.id)*turn); err != nil {
				return err
			}
		}
	})
}

// serve answers the requests of a connection. One whose line has no end is none: a
// part of a state, had the connection failed within its number, is another state.
func (n *node) serve(ctx context.Context, c net.Conn) error {
	for in := bufio.NewReader(c); ; {
		request, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		answer, err := n.answer(ctx, strings.TrimSpace(string(request)))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c, answer+"\n"); err != nil {
			return err
		}
	}
}

func (n *node) answer(ctx context.Context, request string) (string, error) {
	var s state
	if _, err := fmt.Sscanf(request, "lease %d", &s.term); err == nil {
		return n.grant(ctx, s.term)
	}
	if _, err := fmt.Sscanf(request, "accept %d %d %d", &s.term, &s.index, &s.value); err == nil {
		return n.accept(ctx, s)
	}
	switch {
	case request != "get" && request != "inc":
		return "", fmt.Errorf("unknown request %q", request)
	case n.lead == nil:
		return "elsewhere", nil
	case request == "get":
		return n.lead.get(ctx), nil
	}
	return n.lead.inc(ctx), nil
}

// grant gives a term a lease, or a longer one, and tells its leader the state.
func (n *node) grant(ctx context.Context, term uint64) (string, error) {
	if err := n.mu.Lock(ctx); err != nil {
		return "", err
	}
	defer n.mu.Unlock()
	if term < n.rec.promised || term != n.holder && reactor.Now(ctx).Before(n.until) {
		return n.refuse(), nil
	}
	if err := n.save(ctx, record{term, n.rec.state}); err != nil {
		return "", err
	}
	n.holder, n.until = term, reactor.Now(ctx).Add(lease)
	return "granted " + n.rec.state.String(), nil
}

// accept takes a state from the leader of its term.
func (n *node) accept(ctx context.Context, s state) (string, error) {
	if err := n.mu.Lock(ctx); err != nil {
		return "", err
	}
	defer n.mu.Unlock()
	if s.term < n.rec.promised {
		return n.refuse(), nil
	}
	if n.rec.before(s) { // else one that includes it came first
		if err := n.save(ctx, record{s.term, s}); err != nil {
			return "", err
		}
	}
	return "accepted " + s.String(), nil
}

func (n *node) refuse() string { return fmt.Sprintf("refused %d", n.rec.promised) }

// save changes the record, in the store first. It is not to be cancelled halfway:
// a write that went on behind the node's back could undo the next one.
func (n *node) save(ctx context.Context, r record) error {
	if r == n.rec {
		return nil
	}
	err := n.store.save(context.WithoutCancel(ctx), r)
	if err == nil {
		n.rec = r
	}
	return err
}
