package shard

import (
	"context"
	"errors"

	"github.com/eddyio/eddy/net"
)

// Serve serves an address on as many shards as there are processors, until ctx is done:
// handler is called for each connection, by a task of the shard that has it. It is [Run]
// with a [Listener] and [net.Serve]; a server with limits, or with state, uses these.
// Handlers of different shards run at the same time, and must not share data without
// locks.
func Serve(ctx context.Context, network, address string, handler func(ctx context.Context, c net.Conn) error) error {
	at := &Listener{Network: network, Address: address}
	err := Run(ctx, func(ctx context.Context, s *Shard[struct{}]) error {
		ln, err := at.Listen(ctx)
		if err != nil {
			if errors.Is(err, ctx.Err()) {
				return nil // it is over before this shard has begun
			}
			return err
		}
		return net.Serve(ctx, ln, handler)
	})
	if err == ctx.Err() {
		return nil // it was over before any shard had begun
	}
	return err
}
