package reactortest_test

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
	"testing/cryptotest"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// certificate makes one for "server", valid when the virtual clock starts.
func certificate(t testing.TB) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"server"},
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// The standard library's TLS, which knows nothing of any of this, runs in a
// simulation, and with its random numbers given, the same each time.
func TestTLS(t *testing.T) {
	cert := certificate(t)
	roots := x509.NewCertPool()
	leaf, _ := x509.ParseCertificate(cert.Certificate[0])
	roots.AddCert(leaf)
	msg := testkit.Pattern(50_000)
	simulate(t, func(ctx context.Context, n *network) {
		cryptotest.SetGlobalRandom(t, 1)
		n.SetLinks(reactortest.Link{Latency: ms, Jitter: 10 * ms, Loss: 0.05})
		n.Host("server").Start(func(ctx context.Context) error {
			ln, err := net.Listen(ctx, "tcp", ":443")
			if err != nil {
				return err
			}
			config := &tls.Config{Certificates: []tls.Certificate{cert}, Time: func() time.Time { return reactor.Now(ctx) }}
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				return copyBack(ctx, tls.Server(c, config))
			})
		})
		raw := dial(t, ctx, "server:443")
		c := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "server", Time: func() time.Time { return reactor.Now(ctx) }})
		if err := c.Handshake(); err != nil { // before two tasks need it: tls waits with a mutex, which stops the loop
			t.Fatal(err)
		}
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.Go(func(ctx context.Context) error { _, err := c.Write(msg); return errors.Join(err, c.CloseWrite()) })
			got, err := io.ReadAll(c)
			if string(got) != string(msg) {
				t.Error("other bytes came back:", len(got))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}, seedsTo(5)...)
}
