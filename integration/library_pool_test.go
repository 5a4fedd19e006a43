package integration

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/pool"
)

func init() {
	add(&library{name: "database/sql, 20 users of 2 connections", servers: []string{"mariadb"}, open: openFewConns})
	add(&library{name: "redigo, 20 users of 2 connections", module: "github.com/gomodule/redigo", servers: []string{"redis"}, open: openFewRedigo})
}

// Few connections, and many who use them.
const (
	fewConns  = 2
	manyUsers = 20
)

// openFewConns has tasks wait for a pool of connections. database/sql would have them
// wait on a channel, with the loop, for tasks that can't run then.
func openFewConns(ctx context.Context, at *site) (*client, error) {
	db, err := newMySQL(at)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(fewConns)
	if !at.inTask {
		return manyOf(at, overSQL(db, "DO SLEEP(1000)"), nil), nil
	}
	conns := pool.New(ctx, pool.Config[*sql.Conn]{Dial: db.Conn, Max: fewConns})
	use := func(query func(ctx context.Context, c *sql.Conn) error) func(ctx context.Context) error {
		return func(ctx context.Context) error { return conns.Do(ctx, query) }
	}
	c := &client{
		op: use(func(ctx context.Context, c *sql.Conn) error {
			var n int
			err := c.QueryRowContext(ctx, "SELECT 41 + 1").Scan(&n)
			return is(n, 42, err)
		}),
		silent: use(func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "DO SLEEP(1000)")
			return err
		}),
		close: func() { db.Close() },
	}
	return manyOf(at, c, conns.Close), nil
}

// openFewRedigo has tasks share connections of a library that has a pool of its own, in
// which they would stop the loop.
func openFewRedigo(ctx context.Context, at *site) (*client, error) {
	dial := func(ctx context.Context) (*client, error) { return openRedigo(ctx, at) }
	if !at.inTask {
		c := make(chan *client, fewConns)
		for range fewConns {
			one, err := dial(ctx)
			if err != nil {
				return nil, err
			}
			c <- one
		}
		borrow := func(ctx context.Context, f func(*client) error) error {
			select {
			case one := <-c:
				defer func() { c <- one }()
				return f(one)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return manyOf(at, &client{
			op:     func(ctx context.Context) error { return borrow(ctx, func(c *client) error { return c.op(ctx) }) },
			silent: func(ctx context.Context) error { return borrow(ctx, func(c *client) error { return c.silent(ctx) }) },
			close: func() {
				for range fewConns {
					(<-c).close()
				}
			},
		}, nil), nil
	}
	conns := pool.New(ctx, pool.Config[*client]{
		Dial: dial, Max: fewConns,
		Close: func(_ context.Context, c *client) error { c.close(); return nil },
	})
	return manyOf(at, &client{
		op: func(ctx context.Context) error {
			return conns.Do(ctx, func(ctx context.Context, c *client) error { return c.op(ctx) })
		},
		silent: func(ctx context.Context) error {
			return conns.Do(ctx, func(ctx context.Context, c *client) error { return c.silent(ctx) })
		},
		close: func() {},
	}, conns.Close), nil
}

// manyOf is a client that is many users of another at the same time.
func manyOf(at *site, c *client, shut func(ctx context.Context) error) *client {
	many := func(f func(ctx context.Context) error) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			if at.inTask {
				return reactor.Group(ctx, func(_ context.Context, g *reactor.TaskGroup) error {
					for range manyUsers {
						g.Go(f)
					}
					return nil
				})
			}
			errs := make([]error, manyUsers)
			var all sync.WaitGroup
			for i := range manyUsers {
				all.Go(func() { errs[i] = f(ctx) })
			}
			all.Wait()
			return errors.Join(errs...)
		}
	}
	return &client{
		op: many(c.op), silent: many(c.silent),
		close: func() {
			if shut != nil {
				shut(at.ctx)
			}
			c.close()
		},
	}
}

// Tasks that use database/sql in ToThread may be more than its connections: those that
// wait for one wait in threads.
func TestSQLInThreads(t *testing.T) {
	addr := addresses(t, "mariadb")
	watchdog := time.AfterFunc(ample, func() { panic("the loop stands, or a query is not answered") })
	defer watchdog.Stop()
	err := run(func(ctx context.Context, p *pulse) error {
		db, err := newMySQL(stdSite(addr))
		if err != nil {
			return err
		}
		defer db.Close()
		db.SetMaxOpenConns(fewConns)
		turns := 0
		ticking := reactor.Go(ctx, func(ctx context.Context) error {
			for {
				if err := reactor.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
				turns++
			}
		})
		defer ticking.Cancel(nil)
		err = reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range manyUsers {
				g.Go(func(ctx context.Context) error {
					_, err := reactor.ToThread(ctx, func(ctx context.Context) (sql.Result, error) {
						return db.ExecContext(ctx, "DO SLEEP(0.005)")
					})
					return err
				})
			}
			return nil
		})
		if turns == 0 {
			t.Error("the loop stood while the tasks waited")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
