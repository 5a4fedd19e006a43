package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// TestHandshakeIsShared: several tasks begin at once, by each method that does
// the handshake. One does it and the others wait; ConnectionState does not
// wait.
func TestHandshakeIsShared(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := pair(t, ctx)
		var tasks []*reactor.Task[struct{}]
		for range 3 {
			for _, f := range []func() error{
				server.Handshake,
				func() error { return server.HandshakeContext(ctx) },
				func() error { _, err := server.Write([]byte("x")); return err },
				func() error { _, err := server.Read(make([]byte, 1)); return err },
			} {
				tasks = append(tasks, reactor.Go(ctx, func(context.Context) error { return f() }))
			}
		}
		impatient := reactor.Go(ctx, func(context.Context) error { return server.Handshake() })
		parked(ctx)
		if s := server.ConnectionState(); s.HandshakeComplete || server.VerifyHostname("localhost") == nil {
			t.Error("the handshake is said to be done")
		}
		impatient.Cancel(nil)
		if err := impatient.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if n, err := client.Write([]byte("123")); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		if _, err := io.ReadFull(client, make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			if err := task.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		if !server.ConnectionState().HandshakeComplete {
			t.Error("the handshake is not said to be done")
		}
		if err := client.VerifyHostname("localhost"); err != nil {
			t.Error(err)
		}
		client.Close()
		server.Close()
	})
}

// TestSilentClients: clients that connect and send nothing, or too little at a
// time, delay no others, and are cut off at their limit, not earlier.
func TestSilentClients(t *testing.T) {
	const limit = 60 * time.Millisecond
	run(t, func(ctx context.Context) {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		silent := NewListener(ctx, ln, serverConfig())
		silent.HandshakeTimeout = limit
		var cutOff []time.Duration
		serving := reactor.Go(ctx, func(ctx context.Context) error {
			return net.Serve(ctx, silent, func(ctx context.Context, c net.Conn) error {
				start := time.Now()
				err := echo(ctx, c)
				if errors.Is(err, context.DeadlineExceeded) {
					cutOff = append(cutOff, time.Since(start))
				}
				return err
			})
		})
		mute, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		slow, err := net.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		dribbling := reactor.Go(ctx, func(ctx context.Context) error {
			for _, b := range append([]byte{22, 3, 1, 2, 0}, make([]byte, 512)...) {
				if _, err := slow.Write([]byte{b}); err != nil {
					return nil // cut off
				}
				reactor.Sleep(ctx, time.Millisecond)
			}
			return errors.New("the slow client was not cut off")
		})
		// On a busy machine a good client may itself be too late. By TLS 1.3 it is done
		// before the server, and learns of that by its first message.
		var good *Conn
		greet := func() (err error) {
			if good, err = Dial(ctx, "tcp", ln.Addr().String(), clientConfig()); err != nil {
				return err
			}
			fmt.Fprint(good, "hello")
			if _, err = io.ReadFull(good, make([]byte, 5)); err != nil {
				good.Close()
			}
			return err
		}
		for end := time.Now().Add(patience); ; {
			if err := greet(); err == nil {
				break
			} else if time.Now().After(end) {
				t.Fatal(err)
			}
		}
		io.Copy(io.Discard, mute) // ends
		if err := dribbling.Wait(ctx); err != nil {
			t.Error(err)
		}
		for len(cutOff) < 2 {
			reactor.Yield(ctx)
		}
		for _, d := range cutOff {
			if d < limit {
				t.Errorf("cut off after %v", d)
			}
		}
		b := []byte("again")
		good.Write(b) // has no limit any more
		if _, err := io.ReadFull(good, b); err != nil {
			t.Error(err)
		}
		mute.Close()
		slow.Close()
		good.Close()
		ln.Close()
		if err := serving.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestDefaultHandshakeTimeout(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := pair(t, ctx)
		if server.limit != 10*time.Second || client.limit != 0 {
			t.Error("server:", server.limit, "client:", client.limit)
		}
		server.SetHandshakeTimeout(time.Millisecond)
		if err := server.Handshake(); !errors.Is(err, context.DeadlineExceeded) || !os.IsTimeout(err) {
			t.Errorf("%v; is it a timeout? %v", err, os.IsTimeout(err))
		}
		server.Close()
		client.Close()
	})
}

// TestHandshakeContext: the ctx ends the handshake, on a task and on a goroutine.
func TestHandshakeContext(t *testing.T) {
	for _, where := range []string{"task", "task, with a foreign ctx", "goroutine"} {
		run(t, func(ctx context.Context) {
			client, server := pair(t, ctx)
			of := ctx
			if where == "task, with a foreign ctx" {
				of = context.Background()
			}
			std, cancel := context.WithTimeout(of, 5*time.Millisecond)
			defer cancel()
			var err error
			if where != "goroutine" {
				err = server.HandshakeContext(std)
			} else {
				outside(t, ctx, func() error { err = server.HandshakeContext(std); return nil })
			}
			if _, ok := errors.AsType[*stdnet.OpError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %#v", where, err)
			}
			client.Close()
			server.Close()
		})
	}
}

func TestHandshakeCanceled(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := pair(t, ctx)
		greet := reactor.Go(ctx, func(context.Context) error { return server.Handshake() })
		parked(ctx)
		greet.Cancel(io.ErrNoProgress)
		if err := greet.Wait(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, io.ErrNoProgress) {
			t.Error(err)
		}
		if err := server.Handshake(); err == nil {
			t.Error("it was repeated")
		}
		client.Close()
		server.Close()
	})
}

// TestDial: the name is that of the address; a server with another name is
// refused, and the connection closed; ctx bounds all of it.
func TestDial(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0", serverConfig())
		if err != nil {
			t.Fatal(err)
		}
		log := &failures{}
		handler := echo
		s := &net.Server{Logger: log.logger()}
		serving := reactor.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, ln, handler) })
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		for _, host := range []string{"127.0.0.1", "localhost"} {
			config := clientConfig()
			config.ServerName = ""
			c, err := Dial(ctx, "tcp", net.JoinHostPort(host, port), config)
			if err != nil {
				t.Errorf("%s: %v", host, err)
				continue
			}
			c.Close()
			if config.ServerName != "" {
				t.Error("the caller's Config was changed")
			}
		}
		other := clientConfig()
		other.ServerName = "other.example"
		var unknown *CertificateVerificationError
		if _, err := Dial(ctx, "tcp", ln.Addr().String(), other); !errors.As(err, &unknown) {
			t.Error("another name:", err)
		}
		if _, err := Dial(ctx, "tcp", ln.Addr().String(), nil); !errors.As(err, &unknown) {
			t.Error("an unknown authority:", err)
		}
		outside(t, ctx, func() error {
			c, err := Dial(ctx, "tcp", ln.Addr().String(), clientConfig())
			if err != nil {
				return err
			}
			fmt.Fprint(c, "hello")
			b := make([]byte, 5)
			if _, err := io.ReadFull(c, b); err != nil {
				return err
			}
			return c.Close()
		})
		ln.Close()
		if err := serving.Wait(ctx); err != nil {
			t.Error(err)
		}
		mute, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		err = reactor.Timeout(ctx, 5*time.Millisecond, func(ctx context.Context) error {
			_, err := Dial(ctx, "tcp", mute.Addr().String(), clientConfig())
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error("a server that says nothing:", err)
		}
		mute.Close()
	})
}

// TestAgreement: the negotiated parameters and the client's identity are
// available; a second connection resumes the first one's session.
func TestAgreement(t *testing.T) {
	run(t, func(ctx context.Context) {
		cert, pool := certify()
		sc, cc := serverConfig(), clientConfig()
		sc.NextProtos, cc.NextProtos = []string{"h3", "eddy/1"}, []string{"eddy/1", "other"}
		sc.ClientAuth, sc.ClientCAs = RequireAndVerifyClientCert, pool
		cc.Certificates = []Certificate{cert}
		cc.ClientSessionCache = NewLRUClientSessionCache(1)
		asked := false
		sc.GetConfigForClient = func(hello *ClientHelloInfo) (*Config, error) {
			asked = true
			return nil, reactor.Sleep(hello.Context(), time.Millisecond) // may wait, as a look-up would
		}
		for _, resumed := range []bool{false, true} {
			d, a := wires(t, ctx)
			client, server := Client(ctx, d, cc), Server(ctx, a, sc)
			greet := reactor.Go(ctx, func(context.Context) error { _, err := server.Write([]byte("x")); return err })
			if _, err := client.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if err := greet.Wait(ctx); err != nil {
				t.Fatal(err)
			}
			for _, c := range []*Conn{client, server} {
				s := c.ConnectionState()
				if s.NegotiatedProtocol != "eddy/1" || s.ServerName != "localhost" || s.Version != VersionTLS13 ||
					len(s.PeerCertificates) != 1 || s.DidResume != resumed {
					t.Errorf("resumed %v: %+v", resumed, s)
				}
			}
			client.Close()
			server.Close()
		}
		if !asked {
			t.Error("the server's function was not called")
		}
	})
}

// TestAlertReachesPeer: a side that gives up sends an alert before it closes.
func TestAlertReachesPeer(t *testing.T) {
	run(t, func(ctx context.Context) {
		d, a := wires(t, ctx)
		client, server := Client(ctx, d, &Config{ServerName: "localhost"}), Server(ctx, a, serverConfig())
		greet := reactor.Go(ctx, func(context.Context) error { return server.Handshake() })
		if err := client.Handshake(); err == nil {
			t.Error("an unknown authority was believed")
		}
		client.Close()
		if err := greet.Wait(ctx); !isAlert(err, "bad certificate") {
			t.Errorf("the server learned of it by %v", err)
		}
		server.Close()

		client, server = shaken(t, ctx)
		client.NetConn().Write([]byte{23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}) // a forgery
		if _, err := server.Read(make([]byte, 1)); err == nil {
			t.Error("a forged record was believed")
		}
		server.Close()
		if _, err := client.Read(make([]byte, 1)); !isAlert(err, "bad record MAC") {
			t.Errorf("the client learned of it by %v", err)
		}
		client.Close()
	})
}

func isAlert(err error, what string) bool {
	op, ok := errors.AsType[*stdnet.OpError](err)
	return ok && op.Op == "remote error" && strings.Contains(op.Error(), what)
}

func TestRefusals(t *testing.T) {
	run(t, func(ctx context.Context) {
		if _, err := Listen(ctx, "tcp", "127.0.0.1:0", &Config{}); err == nil {
			t.Error("Listen without a certificate")
		}
		if _, err := Listen(ctx, "tcp", "127.0.0.1:0", nil); err == nil {
			t.Error("Listen without a config")
		}
		if _, err := Listen(context.Background(), "tcp", "127.0.0.1:0", serverConfig()); err == nil {
			t.Error("Listen without a loop")
		}
		d, a := wires(t, ctx)
		config := clientConfig()
		config.Renegotiation = tls.RenegotiateFreelyAsClient
		if err := Client(ctx, d, config).Handshake(); err != errRenegotiation {
			t.Error("renegotiation:", err)
		}
		a.Close()
		d.Close()
		client, server := pair(t, ctx)
		if err := client.CloseWrite(); err == nil {
			t.Error("CloseWrite before the handshake")
		}
		closing := reactor.Go(ctx, func(context.Context) error { return server.Handshake() })
		parked(ctx)
		server.Close()
		if err := closing.Wait(ctx); !errors.Is(err, net.ErrClosed) {
			t.Error("Close in the handshake:", err)
		}
		client.Close()
	})
}

// A panic of one of the Config's functions reaches the caller, a task or a
// goroutine.
func TestConfigPanics(t *testing.T) {
	for _, where := range []string{"task", "goroutine"} {
		run(t, func(ctx context.Context) {
			d, a := wires(t, ctx)
			config := clientConfig()
			config.VerifyConnection = func(ConnectionState) error { panic("boom") }
			client, server := Client(ctx, d, config), Server(ctx, a, serverConfig())
			greet := reactor.Go(ctx, func(context.Context) error { server.Handshake(); return nil })
			shake := func() error {
				defer func() {
					if r := recover(); r != "boom" {
						t.Errorf("%s: it panicked with %v", where, r)
					}
				}()
				return client.Handshake()
			}
			if where == "task" {
				shake()
			} else {
				outside(t, ctx, shake)
			}
			client.Close()
			server.Close()
			greet.Wait(ctx)
		})
	}
}
