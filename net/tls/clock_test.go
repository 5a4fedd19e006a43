package tls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// certifyFrom makes a self-signed certificate for "server" that is valid for a
// day.
func certifyFrom(t testing.TB, from time.Time) (Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"server"}, NotBefore: from, NotAfter: from.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// serveSimulated serves TLS on port 443 of a host called "server".
func serveSimulated(n *reactortest.Network, config *Config) {
	n.Host("server").Start(func(ctx context.Context) error {
		ln, err := Listen(ctx, "tcp", ":443", config)
		if err != nil {
			return err
		}
		return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
			io.Copy(c, c) // a client that trusts nobody breaks off
			return nil
		})
	})
}

// greet dials, checks an echo, and returns the negotiated parameters.
func greet(ctx context.Context, config *Config) (state ConnectionState, err error) {
	c, err := Dial(ctx, "tcp", "server:443", config)
	if err != nil {
		return state, err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "hello"); err != nil {
		return state, err
	}
	_, err = io.ReadFull(c, make([]byte, 5))
	return c.ConnectionState(), err
}

// Certificates are verified by the clock of the verifying host, and a Config
// without a clock is not modified.
func TestSimulatedClockJudgesCertificates(t *testing.T) {
	for name, change := range map[string]func(server *Config){
		"": func(*Config) {},
		"GetConfigForClient": func(c *Config) {
			own := c.Clone()
			c.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { return own, nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			reactortest.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
				from := reactor.Now(ctx)
				cert, pool := certifyFrom(t, from)
				server := &Config{Certificates: []Certificate{cert}, ClientCAs: pool, ClientAuth: RequireAndVerifyClientCert}
				change(server)
				client := &Config{Certificates: []Certificate{cert}, RootCAs: pool}
				serveSimulated(n, server)
				reactor.Sleep(ctx, time.Second)
				if _, err := greet(ctx, client); err != nil {
					t.Errorf("a certificate of today: %v", err)
				}

				n.Hosts()[0].SetClock(-time.Hour, 0)
				if _, err := greet(ctx, client); !isInvalid(err, x509.Expired) {
					t.Errorf("a client whose clock is behind: %v", err)
				}
				n.Hosts()[0].SetClock(0, 0)
				n.Host("server").SetClock(48*time.Hour, 0)
				if _, err := greet(ctx, client); err == nil {
					t.Error("a server whose clock is ahead takes an old certificate")
				}
				n.Host("server").SetClock(0, 0)

				reactor.Sleep(ctx, 23*time.Hour)
				if _, err := greet(ctx, client); err != nil {
					t.Errorf("a day later: %v", err)
				}
				own := client.Clone()
				own.Time = func() time.Time { return from.Add(48 * time.Hour) }
				if _, err := greet(ctx, own); !isInvalid(err, x509.Expired) {
					t.Errorf("a client with a clock of its own: %v", err)
				}
				if client.Time != nil || server.Time != nil {
					t.Error("a Config was changed")
				}
			}, 1)
		})
	}
}

func isInvalid(err error, why x509.InvalidReason) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && invalid.Reason == why
}

// A session is resumed, also with a Config that several servers share, but not
// if it is too old by the simulated clock.
func TestSimulatedSessions(t *testing.T) {
	reactortest.Options{Limit: 30 * 24 * time.Hour}.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
		cert, pool := certifyFrom(t, reactor.Now(ctx))
		config := &Config{Certificates: []Certificate{cert}}
		n.Host("server").Start(func(ctx context.Context) error {
			ln, err := net.Listen(ctx, "tcp", ":443")
			if err != nil {
				return err
			}
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				s := Server(ctx, c, config)
				defer s.Close()
				_, err := io.Copy(s, s)
				return err
			})
		})
		reactor.Sleep(ctx, time.Second)
		client := &Config{RootCAs: pool, ClientSessionCache: NewLRUClientSessionCache(1)}
		for _, c := range []struct {
			after   time.Duration
			resumed bool
		}{{0, false}, {time.Hour, true}, {time.Hour, true}, {8 * 24 * time.Hour, false}} {
			reactor.Sleep(ctx, c.after)
			if c.after > 24*time.Hour {
				client.InsecureSkipVerify = true // the certificate is old, too
			}
			state, err := greet(ctx, client)
			if err != nil || state.DidResume != c.resumed {
				t.Errorf("after %v: resumed %v, %v", c.after, state.DidResume, err)
			}
		}
	}, 1)
}

// On a real host nothing is copied.
func TestRealClockTakesTheConfigItself(t *testing.T) {
	run(t, func(ctx context.Context) {
		config := new(tls.Config)
		if timed(ctx, config) != config || timedServer(ctx, config) != config {
			t.Error("a Config was copied")
		}
	})
}
