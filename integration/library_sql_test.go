package integration

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/lib/pq"
)

func init() {
	add(&library{name: "lib/pq", module: "github.com/lib/pq", servers: []string{"postgres"}, open: openPQ, patience: time.Second})
	add(&library{name: "go-sql-driver/mysql", module: "github.com/go-sql-driver/mysql", servers: []string{"mariadb"}, open: openMySQL})
	add(&library{name: "pgx", module: "github.com/jackc/pgx/v5", servers: []string{"postgres"}, open: openPgx})
	add(&library{name: "pgx, CopyFrom", module: "github.com/jackc/pgx/v5", servers: []string{"postgres"}, open: openCopyFrom})
	add(&library{name: "pgxpool", module: "github.com/jackc/pgx/v5", servers: []string{"postgres"}, open: openPgxPool})
}

// A dialer has the methods that lib/pq asks of one.
type dialer struct{ at *site }

func (d dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

func (d dialer) DialTimeout(network, addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, addr)
}

func (d dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.at.dial(ctx, network, addr)
}

// overSQL is a client of a database.
func overSQL(db *sql.DB, sleep string) *client {
	return &client{
		op: func(ctx context.Context) error {
			var n int
			err := db.QueryRowContext(ctx, "SELECT 41 + 1").Scan(&n)
			return is(n, 42, err)
		},
		silent: func(ctx context.Context) error {
			_, err := db.ExecContext(ctx, sleep)
			return err
		},
		close: func() { db.Close() },
	}
}

func openPQ(_ context.Context, at *site) (*client, error) {
	db, err := newPQ(at)
	if err != nil {
		return nil, err
	}
	return overSQL(db, "SELECT pg_sleep(1000)"), nil
}

func newPQ(at *site) (*sql.DB, error) {
	connector, err := pq.NewConnector(postgresURL(at.addr["postgres"]))
	if err != nil {
		return nil, err
	}
	connector.Dialer(dialer{at})
	return sql.OpenDB(connector), nil
}

func openMySQL(_ context.Context, at *site) (*client, error) {
	db, err := newMySQL(at)
	if err != nil {
		return nil, err
	}
	return overSQL(db, "DO SLEEP(1000)"), nil
}

func newMySQL(at *site) (*sql.DB, error) {
	config, err := mysql.ParseDSN(mariadbDSN(at.addr["mariadb"]))
	if err != nil {
		return nil, err
	}
	config.DialFunc = at.dial
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func pgxConfig(at *site) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(postgresURL(at.addr["postgres"]))
	if err != nil {
		return nil, err
	}
	config.ConnConfig.DialFunc = at.dial
	config.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	return config, nil
}

// A querier is a connection of pgx's, or a pool of them.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func answer(ctx context.Context, q querier) error {
	var n int
	err := q.QueryRow(ctx, "SELECT 41 + $1::int", 1).Scan(&n)
	return is(n, 42, err)
}

func sleepLong(ctx context.Context, q querier) error {
	var nothing any
	return q.QueryRow(ctx, "SELECT pg_sleep(1000)").Scan(&nothing)
}

func dialPgx(ctx context.Context, at *site) (*pgx.Conn, error) {
	config, err := pgxConfig(at)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, config.ConnConfig)
}

// A closeTime is how long a connection may take to say goodbye.
const closeTime = 5 * time.Second

func closePgx(ctx context.Context, c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	c.Close(ctx)
}

func openPgx(ctx context.Context, at *site) (*client, error) {
	c, err := dialPgx(ctx, at)
	if err != nil {
		return nil, err
	}
	return &client{
		op:     func(ctx context.Context) error { return answer(ctx, c) },
		silent: func(ctx context.Context) error { return sleepLong(ctx, c) },
		close:  func() { closePgx(ctx, c) },
	}, nil
}

func openCopyFrom(ctx context.Context, at *site) (*client, error) {
	c, err := dialPgx(ctx, at)
	if err != nil {
		return nil, err
	}
	if _, err := c.Exec(ctx, "CREATE TEMPORARY TABLE copied (n int, s text)"); err != nil {
		closePgx(ctx, c)
		return nil, err
	}
	const rows = 100
	return &client{
		op: func(ctx context.Context) error {
			n, err := c.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"n", "s"},
				pgx.CopyFromSlice(rows, func(i int) ([]any, error) { return []any{i, fmt.Sprint(i)}, nil }))
			return is(n, rows, err)
		},
		silent: func(ctx context.Context) error {
			_, err := c.Exec(ctx, `CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql
				AS 'BEGIN PERFORM pg_sleep(1000); RETURN NEW; END';
				CREATE TRIGGER slow BEFORE INSERT ON copied EXECUTE FUNCTION pg_temp.slow()`)
			if err != nil {
				return fmt.Errorf("no trigger: %w", err)
			}
			_, err = c.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"n", "s"}, pgx.CopyFromRows([][]any{{1, "a"}}))
			return err
		},
		close: func() { closePgx(ctx, c) },
	}, nil
}

func newPgxPool(ctx context.Context, at *site, n int32) (*pgxpool.Pool, error) {
	config, err := pgxConfig(at)
	if err != nil {
		return nil, err
	}
	config.MaxConns = n
	return pgxpool.NewWithConfig(ctx, config)
}

func openPgxPool(ctx context.Context, at *site) (*client, error) {
	p, err := newPgxPool(context.WithoutCancel(ctx), at, 8)
	if err != nil {
		return nil, err
	}
	return &client{
		op:     func(ctx context.Context) error { return answer(ctx, p) },
		silent: func(ctx context.Context) error { return sleepLong(ctx, p) },
		close:  p.Close,
	}, nil
}
