package tls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"math/big"
	stdnet "net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

const patience = testkit.Patience

func TestMain(m *testing.M) {
	testkit.Settle()
	os.Exit(m.Run())
}

// certify makes a self-signed certificate for localhost.
var certify = sync.OnceValues(func() (Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []stdnet.IP{{127, 0, 0, 1}},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
})

// serverConfig and clientConfig return matching configs.
func serverConfig() *Config {
	cert, _ := certify()
	return &Config{Certificates: []Certificate{cert}}
}

func clientConfig() *Config {
	_, pool := certify()
	return &Config{RootCAs: pool, ServerName: "localhost"}
}

// run runs f as the main task of a loop, and then checks for leaks. A loop
// whose thread is blocked, for instance by a mutex, can't end; the test fails
// then.
func run(t testing.TB, f func(ctx context.Context)) {
	t.Helper()
	testkit.Leaks(t)
	o := reactor.Options{BlockedAfter: -1, Logger: slog.New(slog.NewTextHandler(failing{t}, nil))}
	ended := make(chan error, 1)
	go func() {
		defer close(ended) // also after a FailNow
		ended <- o.Run(context.Background(), func(ctx context.Context) error {
			return reactor.Timeout(ctx, patience, func(ctx context.Context) error {
				f(ctx)
				return ctx.Err()
			})
		})
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error("the loop ended with", err)
		}
	case <-time.After(2 * patience):
		t.Fatalf("the loop is blocked\n%s", testkit.Stacks())
	}
}

// failing is a log that must stay empty.
type failing struct{ t testing.TB }

func (w failing) Write(p []byte) (int, error) {
	w.t.Errorf("logged: %s", p)
	return len(p), nil
}

// outside calls f on an ordinary goroutine, while the calling task is suspended.
func outside(t testing.TB, ctx context.Context, f func() error) {
	t.Helper()
	if _, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, f() }); err != nil {
		t.Error(err)
	}
}

// wires returns both ends of a TCP connection of the loop.
func wires(t testing.TB, ctx context.Context) (dialled, accepted net.Conn) {
	t.Helper()
	ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepting := reactor.Async(ctx, func(context.Context) (net.Conn, error) { return ln.Accept() })
	dialled, err = net.Dial(ctx, "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err = accepting.Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return dialled, accepted
}

// pair returns both ends of a TLS connection of the loop, before the handshake.
func pair(t testing.TB, ctx context.Context) (client, server *Conn) {
	t.Helper()
	d, a := wires(t, ctx)
	return Client(ctx, d, clientConfig()), Server(ctx, a, serverConfig())
}

// shaken returns a pair after the handshake. TLS 1.3 servers send tickets at
// its end, which are read with the first data.
func shaken(t testing.TB, ctx context.Context) (client, server *Conn) {
	t.Helper()
	client, server = pair(t, ctx)
	greet := reactor.Go(ctx, func(context.Context) error { return server.Handshake() })
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := greet.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// withStd returns a server's side of the loop, and a std plain TCP connection
// to it.
func withStd(t testing.TB, ctx context.Context) (*Conn, stdnet.Conn) {
	t.Helper()
	ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p, err := stdnet.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	p.SetDeadline(time.Now().Add(patience))
	a, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return Server(ctx, a, serverConfig()), p
}

// parked yields until the other tasks wait, which takes a turn or two.
func parked(ctx context.Context) {
	for range 5 {
		reactor.Yield(ctx)
	}
}

// failures is a log that counts its lines.
type failures struct{ lines int }

func (w *failures) Write(p []byte) (int, error) { w.lines++; return len(p), nil }

func (w *failures) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
