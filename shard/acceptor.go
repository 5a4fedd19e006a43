package shard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// An acceptor accepts the connections of an address, on shard 0, and hands them to
// shards. It belongs to shard 0's thread, except for the fields that do not change.
type acceptor struct {
	home     member
	ln       net.Listener
	choose   Balance
	branches []*net.Branch // by shard; nil does not listen
	conns    []int         // for choose
	left     int           // branches
	task     *reactor.Task[struct{}]
}

func newAcceptor(home member, ln net.Listener, choose Balance) *acceptor {
	n := home.shards()
	return &acceptor{home: home, ln: ln, choose: choose, branches: make([]*net.Branch, n), conns: make([]int, n)}
}

// add adds a shard's branch. The acceptor begins with the first.
func (a *acceptor) add(shard int, b *net.Branch) error {
	if a.branches[shard] != nil {
		return fmt.Errorf("shard: Listen was called twice on shard %d", shard)
	}
	a.branches[shard] = b
	if a.left++; a.task == nil {
		a.task = reactor.Go(a.home.base0(), a.run)
		a.task.SetName("accepts on " + a.ln.Addr().String() + " for all shards")
	}
	return nil
}

// remove removes a shard's branch, which is closed. With the last one the listener ends.
func (a *acceptor) remove(shard int) {
	a.branches[shard] = nil
	if a.left--; a.left == 0 {
		a.ln.Close()
	}
}

// afterFailure is how long the acceptor pauses after an accept that failed.
const afterFailure = 100 * time.Millisecond

// run accepts until the listener is closed. A failure is returned by the Accept of a
// shard, whose server logs it.
func (a *acceptor) run(ctx context.Context) error {
	for {
		h, err := net.AcceptHandoff(a.ln)
		switch {
		case err == nil:
			err = a.handOver(ctx, h)
		case errors.Is(err, net.ErrClosed):
			return nil
		case ctx.Err() == nil:
			a.give(ctx, net.FailedHandoff(err), LeastConns(nil, a.counts()))
			err = reactor.Sleep(ctx, afterFailure)
		}
		if err != nil {
			return err
		}
	}
}

// handOver gives a connection to the shard that is chosen for it. The error is ctx's.
func (a *acceptor) handOver(ctx context.Context, h *net.Handoff) error {
	given := false
	defer func() { // also if the program's function panics
		if !given {
			h.Close()
		}
	}()
	given = a.give(ctx, h, a.choose(h.RemoteAddr(), a.counts()))
	return ctx.Err()
}

// give gives a connection to a shard, and reports whether that has it.
func (a *acceptor) give(ctx context.Context, h *net.Handoff, shard int) bool {
	return shard >= 0 && shard < len(a.branches) && a.branches[shard] != nil && a.branches[shard].Give(ctx, h) == nil
}

// counts returns how many connections each shard has.
func (a *acceptor) counts() []int {
	for i, b := range a.branches {
		a.conns[i] = Closed
		if b != nil {
			a.conns[i] = b.Conns()
		}
	}
	return a.conns
}
