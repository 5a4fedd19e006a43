package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/shard"
)

// A hall is a room on several shards. Each has the members whose connections it serves,
// in a room of its own, and shard 0 knows the names of all.
//
// Whatever happens goes to shard 0, which tells all shards. Messages from one shard to
// another keep their order, so that all members learn of everything in the same order. A
// member that speaks waits until all shards have its line, so that no shard can fall
// behind by more than a line of each member.
type hall struct {
	on    *shard.Shard[*hall]
	local *room
	names map[string]bool // on shard 0
}

// serveAll serves a chat room on several shards; 0 is one for each core.
func serveAll(ctx context.Context, shards int, addr string, out io.Writer) error {
	at := &shard.Listener{Network: "tcp", Address: addr, Balance: shard.LeastConns}
	return shard.Program[*hall]{
		Shards: shards,
		Setup: func(_ context.Context, s *shard.Shard[*hall]) (*hall, error) {
			return &hall{on: s, local: newRoom(), names: make(map[string]bool)}, nil
		},
		Main: func(ctx context.Context, s *shard.Shard[*hall]) error {
			ln, err := at.Listen(ctx)
			if err != nil {
				return err
			}
			if s.Index() == 0 {
				fmt.Fprintln(out, "listening on", ln.Addr())
			}
			return newServer().Serve(ctx, ln, s.State().visit)
		},
	}.Run(ctx)
}

// visit is a connection's task. It suspends.
func (h *hall) visit(ctx context.Context, c net.Conn) error { return visit(ctx, h, c) }

// event calls f on shard 0, which may refuse, and then deliver on all shards. It suspends.
//
// Between f and what is sent to the shards there is no await, so that the order is the
// same everywhere. Nor is it cancelled halfway, when some shards know of it.
func (h *hall) event(ctx context.Context, f func(first *hall) bool, deliver func(there *hall)) (bool, error) {
	return shard.Call(context.WithoutCancel(ctx), h.on.Peer(0), func(ctx context.Context, s *shard.Shard[*hall]) (bool, error) {
		if !f(s.State()) {
			return false, nil
		}
		return true, shard.Each(context.WithoutCancel(ctx), s.All(), func(_ context.Context, s *shard.Shard[*hall]) error {
			deliver(s.State())
			return nil
		})
	})
}

// enter lets a member in, if its name is free. It suspends.
func (h *hall) enter(ctx context.Context, m *member) (bool, error) {
	var present []string
	return h.event(ctx, func(first *hall) bool {
		if first.names[m.name] {
			return false
		}
		present = slices.Sorted(maps.Keys(first.names))
		first.names[m.name] = true
		return true
	}, func(there *hall) {
		if there == h {
			h.local.add(m, present)
		}
		there.local.tell(m, "* "+m.name+" has joined")
	})
}

// say passes a member's line to all others. It suspends.
func (h *hall) say(ctx context.Context, m *member, text string) error {
	_, err := h.event(ctx, func(*hall) bool { return true }, func(there *hall) { there.local.tell(m, m.name+": "+text) })
	return err
}

// leave is enter's end. It suspends.
func (h *hall) leave(ctx context.Context, m *member) {
	delete(h.local.members, m.name)
	h.event(ctx, func(first *hall) bool {
		delete(first.names, m.name)
		return true
	}, func(there *hall) { there.local.tell(m, "* "+m.name+" has left") })
}
