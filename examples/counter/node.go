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

// nodes is the number of nodes, and majority the smallest number for which any
// two majorities have a node in common.
const nodes, majority = 3, 2

// A node that granted a lease grants no other for the time of the lease, by its
// own clock. The holder counts from before it asked, and stops a tenth earlier:
// so clocks may run up to 5% too fast or too slow, and need not be
// synchronized.
const lease, margin = 3 * time.Second, lease / 10

// The nodes try to lead in turn: if they tried at the same time they would
// block each other until the leases that each had granted expire.
const turn = lease / 20

// A node keeps a copy of the counter, and may lead the others.
//
// Terms are Paxos' ballots, and each belongs to one node (term % nodes). To
// lead a term, a node needs the grant of a majority, whose nodes promise to
// take no more states of lower terms, and send their states. It continues from
// the latest of these. A state is committed once a majority has taken it.
//
// Invariants:
//
//  1. An acknowledged increment is never lost. It was committed: a majority took
//     its state, or one that includes it. The majority that grants a later term
//     has a node in common with that one, which sends this state or a later one:
//     if it had granted the later term first, it would not have taken the state.
//     This does not depend on clocks.
//  2. A read sees all increments that were acknowledged before it began. Only the
//     holder of the lease answers it, with the state that it has committed. For
//     another leader to commit more, a majority must have granted it a lease: one
//     of these nodes also granted the holder's, and grants no other until that is
//     over.
//  3. Therefore at most one node holds the lease at a time, if clocks keep within
//     the margin. If not, reads may be stale, and 1 still holds.
//
// The state for invariant 1 is on disk before a node answers. Leases are not: a
// node that starts does not know which it has granted, so it grants none until
// any such lease is over.
type node struct {
	id    int
	addrs []string
	store store
	log   *slog.Logger

	mu     reactor.Mutex // held while rec changes, because that suspends
	rec    record        // contents of the store
	holder uint64        // the last term that was granted a lease
	until  time.Time     // end of that lease, by this node's clock
	lead   *leader       // while this node leads
}

// run answers the other nodes and clients, and tries to lead when no node has a
// lease.
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

// serve answers the requests of a connection. It ignores a line without an end:
// if the connection failed within a number, the rest would be a wrong state.
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

// grant grants a term a lease, or extends it, and returns the state for its
// leader.
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
	if n.rec.before(s) { // otherwise a later state came first
		if err := n.save(ctx, record{s.term, s}); err != nil {
			return "", err
		}
	}
	return "accepted " + s.String(), nil
}

func (n *node) refuse() string { return fmt.Sprintf("refused %d", n.rec.promised) }

// save changes the record, first in the store. It is shielded from
// cancellation: a write that went on after its task had given up could undo the
// next one.
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
