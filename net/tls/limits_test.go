package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// serveTLS serves a listener without session tickets, and returns its address.
func serveTLS(t *testing.T, ctx context.Context, s *net.Server, handler func(ctx context.Context, c net.Conn) error, set func(ln *Listener)) (addr string, stop func()) {
	t.Helper()
	config := serverConfig()
	config.SessionTicketsDisabled = true
	inner, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := NewListener(ctx, inner, config)
	if set != nil {
		set(ln)
	}
	log := &failures{}
	s.Logger = log.logger()
	serving := reactor.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, ln, handler) })
	return ln.Addr().String(), func() {
		serving.Cancel(nil)
		if err := serving.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestKeyUpdatesAreNoAnswer: a client that asks for new keys, and gets them, is
// cut off like one that does not: as idle if it sends nothing else, and as slow
// if it completes no message. (crypto/tls allows sixteen in a row.)
func TestKeyUpdatesAreNoAnswer(t *testing.T) {
	const limit = 300 * time.Millisecond
	for _, c := range []struct {
		s     *net.Server
		cause error
		data  string // sent with each request for new keys
		most  int
	}{
		{&net.Server{IdleTimeout: limit, Grace: -1}, net.ErrIdleTimeout, "", 14},
		{&net.Server{MessageTimeout: limit, Grace: -1}, net.ErrMessageTimeout, ".", 10_000},
	} {
		run(t, func(ctx context.Context) {
			causes := map[error]bool{}
			handler := func(ctx context.Context, c net.Conn) error {
				_, err := io.ReadFull(c, make([]byte, 10_000))
				causes[reactor.Cause(ctx)] = true
				return err
			}
			addr, stop := serveTLS(t, ctx, c.s, handler, nil)
			held := errors.New("new keys hold a connection")
			attack := func() error {
				p, err := stdnet.Dial("tcp", addr)
				if err != nil {
					return err
				}
				defer p.Close()
				h := shakeByHand(t, ctx, p)
				var result error
				outside(t, ctx, func() error {
					go io.Copy(io.Discard, p)
					for range c.most {
						records := h.rekey()
						if c.data != "" {
							records = append(records, h.out.seal(typeData, c.data)...)
						}
						if _, err := p.Write(records); err != nil {
							return nil // cut off
						}
						time.Sleep(limit / 5)
					}
					result = held
					return nil
				})
				return result
			}
			err := attack()
			for range 9 { // the client may have had the processor for itself
				if err != held {
					break
				}
				err = attack()
			}
			if err != nil {
				t.Error(err)
			}
			stop()
			if c.s.Stats().Expired == 0 {
				t.Error("none has expired")
			}
			if !causes[c.cause] {
				t.Errorf("ended for %v, want %v", causes, c.cause)
			}
		})
	}
}

var errHeldUp = errors.New("this machine holds up a client")

// TestLimitsOfPlainText: a peer that sends and reads messages in time is not
// cut off, however many they are; and a slow reader's progress counts during a
// write.
func TestLimitsOfPlainText(t *testing.T) {
	run(t, func(ctx context.Context) {
		const limit = 2 * time.Second
		s := &net.Server{IdleTimeout: limit, MessageTimeout: limit, Grace: -1}
		handler := func(ctx context.Context, c net.Conn) error {
			b := make([]byte, 5)
			for {
				if _, err := io.ReadFull(c, b); err != nil {
					return err
				}
				if _, err := c.Write(b); err != nil {
					return err
				}
			}
		}
		addr, stop := serveTLS(t, ctx, s, handler, nil)
		var held int64 // connections whose client was held up for longer than the limit
		talk := func() error {
			asked := time.Now()
			c, err := tls.Dial("tcp", addr, clientConfig())
			if err != nil {
				return err
			}
			defer c.Close()
			b := make([]byte, 5)
			for begun := time.Now(); time.Since(begun) < limit*5/4; time.Sleep(limit / 40) {
				before := time.Now()
				_, err := c.Write([]byte("hello"))
				if err == nil {
					_, err = io.ReadFull(c, b)
				}
				if err != nil && time.Since(asked) >= limit {
					return errHeldUp
				}
				if err != nil {
					return err
				}
				asked = before
			}
			if time.Since(asked) >= limit {
				return errHeldUp
			}
			return nil
		}
		outside(t, ctx, func() error {
			for end := time.Now().Add(patience); ; held++ {
				if err := talk(); err != errHeldUp || time.Now().After(end) {
					return err
				}
			}
		})
		stop()
		if got := s.Stats().Expired; got > held {
			t.Errorf("%d expired, and %d were held up", got, held)
		}
	})
}

// TestMaxHandshakes: no more run than allowed, the others get their turn, and
// clients that have sent nothing take no turn.
func TestMaxHandshakes(t *testing.T) {
	run(t, func(ctx context.Context) {
		const most, clients = 2, 10
		now, peak, served := 0, 0, 0
		s := &net.Server{Grace: -1}
		handler := func(ctx context.Context, c net.Conn) error {
			if err := c.(*Conn).Handshake(); err != nil {
				return err
			}
			served++
			return nil
		}
		addr, stop := serveTLS(t, ctx, s, handler, func(ln *Listener) {
			ln.MaxHandshakes = most
			inner := ln.config.Certificates
			ln.config.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) {
				now++
				peak = max(peak, now)
				reactor.Sleep(context.WithoutCancel(ctx), time.Millisecond)
				now--
				return &inner[0], nil
			}
			ln.config.Certificates = nil
		})
		for range 3 * most {
			silent, err := stdnet.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
		}
		outside(t, ctx, func() error {
			errs := make(chan error)
			for range clients {
				go func() {
					c, err := tls.Dial("tcp", addr, clientConfig())
					if err == nil {
						_, err = io.Copy(io.Discard, c)
						c.Close()
					}
					errs <- err
				}()
			}
			var all []error
			for range clients {
				all = append(all, <-errs)
			}
			return errors.Join(all...)
		})
		if served != clients || peak != most {
			t.Errorf("%d served, at most %d at a time; want %d and %d", served, peak, clients, most)
		}
		stop()
	})
}

// TestHandshakeLetsOthersIn: a handshake that fails, for any reason, makes
// room.
func TestHandshakeLetsOthersIn(t *testing.T) {
	run(t, func(ctx context.Context) {
		s := &net.Server{Grace: -1}
		handler := func(ctx context.Context, c net.Conn) error {
			_, err := c.Write([]byte("welcome"))
			return err
		}
		calls := 0
		addr, stop := serveTLS(t, ctx, s, handler, func(ln *Listener) {
			ln.MaxHandshakes, ln.HandshakeTimeout = 1, 50*time.Millisecond
			chosen := ln.config
			ln.config = &Config{GetConfigForClient: func(*ClientHelloInfo) (*Config, error) {
				if calls++; calls == 1 {
					panic("no config")
				}
				return chosen, nil
			}}
		})
		for _, hello := range []string{"GET / HTTP/1.1", "\x16\x03\x01\x02\x00"} { // no TLS; a hello that never ends
			p, err := stdnet.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			fmt.Fprint(p, hello)
		}
		outside(t, ctx, func() error {
			if c, err := tls.Dial("tcp", addr, clientConfig()); err == nil {
				c.Close()
				return errors.New("a panic is no config")
			}
			// On a busy machine, a client whose hello comes while the other one
			// stalls waits longer than its own limit. It may learn of that after it
			// has dialled: by TLS 1.3 it is done before the server.
			for deadline := time.Now().Add(patience); ; {
				var got []byte
				c, err := tls.Dial("tcp", addr, clientConfig())
				if err == nil {
					got, err = io.ReadAll(c)
					c.Close()
				}
				if string(got) == "welcome" {
					return nil
				}
				if time.Now().After(deadline) {
					return fmt.Errorf("got %q, %w", got, err)
				}
			}
		})
		stop()
	})
}
