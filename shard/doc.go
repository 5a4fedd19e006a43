// Package shard answers: how do loops share a machine? It runs the same program on
// several loops, the shards, usually one for each core. Each has state of its own,
// which its tasks share without locks, and shards work with each other's state by
// messages: [Call], [Each], [MapReduce] and [Shard.Post]. A [Channel] passes a stream of
// items from one to another, and holds the sender back.
//
//	err := shard.Run(ctx, func(ctx context.Context, s *shard.Shard[struct{}]) error {
//		fmt.Println("shard", s.Index(), "of", len(s.All()))
//		return nil
//	})
//
// A [Program] is the full form, with state of each shard. A [Listener] spreads the
// connections of one address over the shards, and [Serve] does no more than that.
//
// # What it leaves to others
//
// Package reactor runs a shard's tasks, and net serves its connections. Several
// machines, or several processes, are for what stands in front of them.
package shard
