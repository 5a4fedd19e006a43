package net

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
)

// programs are the programs that TestFaults runs: typical uses of sockets.
var programs = []struct {
	name string
	run  func(t *testing.T, ctx context.Context, k *faulty.Sockets) error
}{
	{"half-close", func(t *testing.T, ctx context.Context, _ *faulty.Sockets) error {
		return exchange(t, ctx, "tcp", testkit.Pattern(50_000), 3000)
	}},
	{"half-close of Unix sockets", func(t *testing.T, ctx context.Context, _ *faulty.Sockets) error {
		return exchange(t, ctx, "unix", testkit.Pattern(50_000), 3000)
	}},
	{"echo", echoOfLines},
	{"a big transfer", bigTransfer},
	{"many connections", manyConnections},
	{"deadlines", readsWithDeadlines},
	{"Serve and its shutdown", serveAndShutDown},
	{"TLS", exchangeOverTLS},
}

// echoOfLines makes a few clients exchange lines with a server.
func echoOfLines(t *testing.T, ctx context.Context, _ *faulty.Sockets) error {
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		for i := range 3 {
			client, server := pair(t, ctx, "tcp")
			g.Go(func(ctx context.Context) error {
				defer server.Close()
				return echo(ctx, server)
			})
			g.Go(func(context.Context) error {
				defer client.Close()
				for j := range 10 {
					if err := said(client, fmt.Sprintf("client %d says %d", i, j)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
}

// said sends a line, and fails unless it is echoed.
func said(c Conn, what string) error {
	if _, err := io.WriteString(c, what); err != nil {
		return err
	}
	b := make([]byte, len(what))
	if _, err := io.ReadFull(c, b); err != nil {
		return fmt.Errorf("said %q, heard %q: %w", what, b, err)
	}
	if string(b) != what {
		return fmt.Errorf("said %q, heard %q", what, b)
	}
	return nil
}

func bigTransfer(t *testing.T, ctx context.Context, _ *faulty.Sockets) error {
	a, b := pair(t, ctx, "tcp")
	defer a.Close()
	defer b.Close()
	msg := testkit.Pattern(2 << 20)
	sending := reactor.Go(ctx, func(context.Context) error {
		n, err := a.Write(msg)
		if err == nil && n != len(msg) {
			err = io.ErrShortWrite
		}
		return errors.Join(err, a.Close())
	})
	got, err := io.ReadAll(b)
	return errors.Join(err, testkit.Same(got, msg), sending.Wait(ctx))
}

// manyConnections makes clients come and go concurrently, so that fd numbers
// are reused.
func manyConnections(t *testing.T, ctx context.Context, _ *faulty.Sockets) error {
	ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		const clients, visits = 8, 4
		for i := range clients {
			g.Go(func(ctx context.Context) error {
				for j := range visits {
					c, err := Dial(ctx, "tcp", ln.Addr().String())
					if err != nil {
						return err
					}
					err = said(c, fmt.Sprintf("client %d comes for the time %d", i, j))
					if err := errors.Join(err, c.Close()); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for range clients * visits {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			g.Go(func(ctx context.Context) error {
				defer c.Close()
				return echo(ctx, c)
			})
		}
		return nil
	})
}

// readsWithDeadlines reads data that arrives in pieces, with deadlines that
// often pass before: each byte is read once.
func readsWithDeadlines(t *testing.T, ctx context.Context, k *faulty.Sockets) error {
	a, b := pair(t, ctx, "tcp")
	defer a.Close()
	defer b.Close()
	msg := testkit.Pattern(300)
	sending := reactor.Go(ctx, func(ctx context.Context) error {
		for i := 0; i < len(msg); i += 10 {
			if _, err := a.Write(msg[i : i+10]); err != nil {
				return err
			}
			if err := reactor.Sleep(ctx, time.Duration(k.Choose(200))*time.Microsecond); err != nil {
				return err
			}
		}
		return a.Close()
	})
	var got []byte
	p := make([]byte, 64)
	for {
		b.SetReadDeadline(time.Now().Add(time.Duration(k.Choose(150)) * time.Microsecond))
		n, err := b.Read(p)
		got = append(got, p[:n]...)
		if err == io.EOF {
			return errors.Join(testkit.Same(got, msg), sending.Wait(ctx))
		}
		if err != nil && (n > 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			return fmt.Errorf("read %d, %w", n, err)
		}
		if err != nil {
			reactor.Yield(ctx)
		}
	}
}

// serveAndShutDown stops a server with active clients; each gets its echoes
// until its connection ends.
func serveAndShutDown(t *testing.T, ctx context.Context, k *faulty.Sockets) error {
	if k.Choose(4) == 1 {
		k.Starve = 1 + k.Choose(2)
	}
	ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	log := &logged{}
	handler := echo
	s := &Server{Grace: time.Duration(2*k.Choose(2)-1) * time.Millisecond, Logger: log.logger()}
	serving := reactor.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, ln, handler) })
	err = reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		talked, enough := 0, 20+k.Choose(10)
		for i := range 5 {
			g.Go(func(ctx context.Context) error {
				c, err := Dial(ctx, "tcp", ln.Addr().String())
				if err != nil {
					return nil // too late
				}
				defer c.Close()
				for j := 0; ; j++ {
					if err := said(c, fmt.Sprintf("client %d says %d", i, j)); err != nil {
						if serving.Finished() || ended(err) {
							return nil
						}
						return err
					}
					if talked++; talked == enough {
						serving.Cancel(nil)
					}
				}
			})
		}
		return nil
	})
	return errors.Join(err, serving.Wait(ctx))
}

// ended reports whether an error of said is that of a stopping server.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isUnremarkable(err)
}

// exchangeOverTLS exchanges data over crypto/tls.
func exchangeOverTLS(t *testing.T, ctx context.Context, _ *faulty.Sockets) error {
	a, b := pair(t, ctx, "tcp")
	defer a.Close()
	defer b.Close()
	server := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{certificate()}})
	client := tls.Client(b, &tls.Config{InsecureSkipVerify: true})
	msg := testkit.Pattern(50_000)
	serving := reactor.Go(ctx, func(context.Context) error {
		got, err := io.ReadAll(io.LimitReader(server, int64(len(msg))))
		if err := errors.Join(err, testkit.Same(got, msg)); err != nil {
			return err
		}
		_, err = server.Write(got)
		return errors.Join(err, server.Close())
	})
	if _, err := client.Write(msg); err != nil {
		return err
	}
	got, err := io.ReadAll(client)
	return errors.Join(err, testkit.Same(got, msg), serving.Wait(ctx))
}
