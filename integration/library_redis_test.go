package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

func init() {
	add(&library{name: "redigo", module: "github.com/gomodule/redigo", servers: []string{"redis"}, open: openRedigo})
	add(&library{name: "redigo, DoContext", module: "github.com/gomodule/redigo", servers: []string{"redis"}, open: openRedigoContext})
	add(&library{name: "go-redis", module: "github.com/redis/go-redis/v9", servers: []string{"redis"}, open: openGoRedis})
	add(&library{name: "go-redis, pipelines", module: "github.com/redis/go-redis/v9", servers: []string{"redis"}, open: openPipelines})
	add(&library{name: "go-redis, pub/sub", module: "github.com/redis/go-redis/v9", servers: []string{"redis"}, open: openPubSub})
	add(&library{name: "rueidis", module: "github.com/redis/rueidis", servers: []string{"redis"}, open: openRueidis})
}

// never is a list to which nobody appends.
const never = "never"

// is returns an error unless an answer is the one that is wanted.
func is[T comparable](got, want T, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("the answer is %v, not %v", got, want)
	}
	return err
}

// dialRedigo returns a connection, and the net.Conn that it has.
func dialRedigo(ctx context.Context, at *site) (redis.Conn, net.Conn, error) {
	var under net.Conn
	c, err := redis.DialContext(ctx, "tcp", at.addr["redis"],
		redis.DialContextFunc(func(ctx context.Context, network, addr string) (c net.Conn, err error) {
			under, err = at.dial(ctx, network, addr)
			return under, err
		}))
	return c, under, err
}

func openRedigo(ctx context.Context, at *site) (*client, error) {
	c, under, err := dialRedigo(ctx, at)
	if err != nil {
		return nil, err
	}
	return &client{
		op: func(context.Context) error {
			s, err := redis.String(c.Do("ECHO", "hello"))
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error {
			return at.bounded(ctx, under, func() error {
				_, err := redis.DoWithTimeout(c, 0, "BLPOP", never, 0)
				return err
			})
		},
		close: func() { c.Close() },
	}, nil
}

func openRedigoContext(ctx context.Context, at *site) (*client, error) {
	c, _, err := dialRedigo(ctx, at)
	if err != nil {
		return nil, err
	}
	return &client{
		op: func(ctx context.Context) error {
			s, err := redis.String(redis.DoContext(c, ctx, "ECHO", "hello"))
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error {
			_, err := redis.DoContext(c, ctx, "BLPOP", never, 0)
			return err
		},
		close: func() { c.Close() },
	}, nil
}

func newGoRedis(at *site) *goredis.Client {
	return goredis.NewClient(&goredis.Options{
		Addr:                  at.addr["redis"],
		Dialer:                at.dial,
		ContextTimeoutEnabled: true,
		PoolSize:              64,
		MaxRetries:            -1,
		ReadTimeout:           -1, // ctx has one
	})
}

func openGoRedis(_ context.Context, at *site) (*client, error) {
	c := newGoRedis(at)
	return &client{
		op: func(ctx context.Context) error {
			s, err := c.Echo(ctx, "hello").Result()
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error { return c.BLPop(ctx, 0, never).Err() },
		close:  func() { c.Close() },
	}, nil
}

func openPipelines(_ context.Context, at *site) (*client, error) {
	c := newGoRedis(at)
	return &client{
		op: func(ctx context.Context) error {
			p := c.Pipeline()
			var answers [10]*goredis.StringCmd
			for i := range answers {
				answers[i] = p.Echo(ctx, i)
			}
			if _, err := p.Exec(ctx); err != nil {
				return err
			}
			for i, a := range answers {
				if err := is(a.Val(), fmt.Sprint(i), a.Err()); err != nil {
					return err
				}
			}
			return nil
		},
		silent: func(ctx context.Context) error {
			p := c.Pipeline()
			p.Echo(ctx, "hello")
			p.BLPop(ctx, 0, never)
			_, err := p.Exec(ctx)
			return err
		},
		close: func() { c.Close() },
	}, nil
}

func openPubSub(ctx context.Context, at *site) (*client, error) {
	c := newGoRedis(at)
	channel := fmt.Sprint("channel ", time.Now().UnixNano())
	sub := c.Subscribe(ctx, channel)
	if _, err := sub.Receive(ctx); err != nil {
		c.Close()
		return nil, err
	}
	messages := sub.Channel()
	next := func(ctx context.Context) (string, error) {
		select {
		case m, ok := <-messages:
			if !ok {
				return "", errors.New("the channel was closed")
			}
			return m.Payload, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return &client{
		op: func(ctx context.Context) error {
			if err := c.Publish(ctx, channel, "hello").Err(); err != nil {
				return err
			}
			s, err := next(ctx)
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error {
			_, err := next(ctx)
			return err
		},
		close: func() {
			sub.Close()
			c.Close()
		},
	}, nil
}

func newRueidis(ctx context.Context, at *site) (rueidis.Client, error) {
	return rueidis.NewClient(rueidis.ClientOption{
		InitAddress:  []string{at.addr["redis"]},
		DisableCache: true,
		DisableRetry: true,
		DialCtxFn: func(ctx context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return at.dial(ctx, "tcp", addr)
		},
	})
}

func openRueidis(ctx context.Context, at *site) (*client, error) {
	c, err := newRueidis(ctx, at)
	if err != nil {
		return nil, err
	}
	return &client{
		op: func(ctx context.Context) error {
			s, err := c.Do(ctx, c.B().Echo().Message("hello").Build()).ToString()
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error {
			return c.Do(ctx, c.B().Blpop().Key(never).Timeout(0).Build()).Error()
		},
		close: c.Close,
	}, nil
}
