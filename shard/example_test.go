package shard_test

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	stdnet "net"
	"strings"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/shard"
)

// A table of words is spread over four shards. Each word belongs to one of them, which
// others call for it, so nothing is locked.
func ExampleProgram() {
	type words = map[string]int
	type table = shard.Shard[words]
	owner := func(s *table, word string) *table {
		all := s.All()
		return all[int(crc32.ChecksumIEEE([]byte(word)))%len(all)]
	}
	p := shard.Program[words]{
		Shards: 4,
		Setup:  func(context.Context, *table) (words, error) { return make(words), nil },
		Main: func(ctx context.Context, s *table) error {
			if s.Index() != 0 {
				return nil // it still answers calls, until all Mains have ended
			}
			for _, word := range strings.Fields("to be or not to be") {
				n, err := shard.Call(ctx, owner(s, word), func(ctx context.Context, s *table) (int, error) {
					s.State()[word]++
					return s.State()[word], nil
				})
				if err != nil {
					return err
				}
				fmt.Println(word, n)
			}
			count := func(ctx context.Context, s *table) (int, error) { return len(s.State()), nil }
			different, err := shard.MapReduce(ctx, s.All(), count, 0, func(sum, n int) int { return sum + n })
			fmt.Println(different, "different words")
			return err
		},
	}
	if err := p.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// to 1
	// be 1
	// or 1
	// not 1
	// to 2
	// be 2
	// 4 different words
}

// Each shard serves the connections that the kernel gives to it, and counts them together
// with the others at the end. The ctx of a real program ends by an interrupt.
func ExampleListener() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	at := &shard.Listener{Network: "tcp", Address: "127.0.0.1:0"}
	p := shard.Program[*net.Server]{
		Shards: 2,
		Setup: func(context.Context, *shard.Shard[*net.Server]) (*net.Server, error) {
			return (&net.Server{MaxConns: 10_000}).Defaults(), nil
		},
		Main: func(ctx context.Context, s *shard.Shard[*net.Server]) error {
			ln, err := at.Listen(ctx)
			if err != nil {
				return err
			}
			if s.Index() == 0 {
				go func() { client(ln.Addr().String()); stop() }()
			}
			return s.State().Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
		},
		Teardown: func(ctx context.Context, s *shard.Shard[*net.Server]) error {
			if s.Index() != 0 {
				return nil
			}
			stats := func(_ context.Context, s *shard.Shard[*net.Server]) (net.Stats, error) { return s.State().Stats(), nil }
			sum, err := shard.MapReduce(ctx, s.All(), stats, net.Stats{}, net.Stats.Add)
			fmt.Println(sum.Accepted, "connections")
			return err
		},
	}
	if err := p.Run(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// hello
	// hello
	// hello
	// 3 connections
}

// Shard 0 reads words, and shard 1 counts them. If it falls behind by eight, shard 0 waits.
func ExampleChannel() {
	err := shard.Program[struct{}]{
		Shards: 2,
		Main: func(ctx context.Context, s *shard.Shard[struct{}]) error {
			if s.Index() != 0 {
				return nil
			}
			words := shard.NewChannel[string](s, s.Peer(1), 8)
			return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					defer words.Close()
					for word := range strings.FieldsSeq("to be or not to be that is the question") {
						if err := words.Put(ctx, word); err != nil {
							return err
						}
					}
					return nil
				})
				n, err := shard.Call(ctx, s.Peer(1), func(ctx context.Context, _ *shard.Shard[struct{}]) (n int, err error) {
					defer words.Close() // so that shard 0 does not wait if this fails
					for range words.All(ctx) {
						n++
					}
					return n, ctx.Err()
				})
				fmt.Println(n, "words")
				return err
			})
		},
	}.Run(context.Background())
	if err != nil {
		fmt.Println(err)
	}
	// Output: 10 words
}

func client(address string) {
	for range 3 {
		c, err := stdnet.Dial("tcp", address)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprintln(c, "hello")
		line, _ := bufio.NewReader(c).ReadString('\n')
		fmt.Print(line)
		c.Close()
	}
}
