package pool_test

import (
	"context"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/pool"
)

// A conn stands for a connection of a client library's.
type conn struct{ number int }

func (c *conn) Query(ctx context.Context) error { return reactor.Sleep(ctx, time.Millisecond) }
func (c *conn) Close() error                    { return nil }

// Ten tasks share two connections.
func Example() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		dialled := 0
		p := pool.New(ctx, pool.Config[*conn]{
			Dial: func(ctx context.Context) (*conn, error) {
				dialled++
				return &conn{dialled}, nil
			},
			Max:      2,
			IdleTime: time.Minute,
		})
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range 10 {
				g.Go(func(ctx context.Context) error {
					return p.Do(ctx, func(ctx context.Context, c *conn) error { return c.Query(ctx) })
				})
			}
			return nil
		})
		fmt.Println(dialled, "connections")
		return err
	})
	fmt.Println(err)
	// Output:
	// 2 connections
	// <nil>
}
