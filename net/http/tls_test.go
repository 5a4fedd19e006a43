package http

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	stdnet "net"
	"net/http"
	"strings"
	"testing"
	"time"

	stdtls "crypto/tls"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/net/tls"
	"github.com/eddyio/eddy/reactor"
)

// configs returns matching configs of a server and a client.
func configs(t *testing.T) (server, client *stdtls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []stdnet.IP{{127, 0, 0, 1}},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &stdtls.Config{Certificates: []stdtls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&stdtls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

func dialTLS(t *testing.T, addr string, config *stdtls.Config) *stdtls.Conn {
	c := stdtls.Client(dial(t, addr), config)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTLS: requests know of it, and their contexts end with the encrypted stream.
func TestTLS(t *testing.T) {
	ended := make(chan error, 1)
	srv := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || !r.TLS.HandshakeComplete {
			t.Error("the request knows nothing of TLS")
		}
		if r.URL.Path == "/wait" {
			ended <- reactor.Sleep(r.Context(), patience)
		}
	})}
	config, clients := configs(t)
	v := serveOn(t, srv, func(ctx context.Context, ln net.Listener) net.Listener { return tls.NewListener(ctx, ln, config) })
	c := dialTLS(t, v.addr, clients)
	for range 3 {
		if r := send(t, c, get); r.StatusCode != 200 {
			t.Error(r.Status)
		}
	}
	io.WriteString(c, strings.Replace(get, "/", "/wait", 1))
	time.Sleep(5 * time.Millisecond)
	c.CloseWrite() // only close_notify; the wire stays open
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTLSEndWithTheRequest: the end of the stream may arrive with the request,
// in one read of the wire.
func TestTLSEndWithTheRequest(t *testing.T) {
	ended := make(chan error, 1)
	srv := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ended <- reactor.Sleep(r.Context(), patience)
	})}
	config, clients := configs(t)
	v := serveOn(t, srv, func(ctx context.Context, ln net.Listener) net.Listener { return tls.NewListener(ctx, ln, config) })
	wire := &held{Conn: dial(t, v.addr)}
	c := stdtls.Client(wire, clients)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	wire.hold = true
	io.WriteString(c, get)
	c.CloseWrite()
	wire.SetWriteDeadline(time.Time{}) // CloseWrite has let it pass
	if _, err := wire.Conn.Write(wire.out); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// held collects what is written while hold is set.
type held struct {
	net.Conn
	hold bool
	out  []byte
}

func (c *held) Write(p []byte) (int, error) {
	if !c.hold {
		return c.Conn.Write(p)
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

// TestTLSPipelined: input that hides the end of the stream is not lost.
func TestTLSPipelined(t *testing.T) {
	srv := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := reactor.Sleep(r.Context(), 20*time.Millisecond); err != nil {
			t.Error(err)
		}
		io.WriteString(w, r.URL.Path)
	})}
	config, clients := configs(t)
	v := serveOn(t, srv, func(ctx context.Context, ln net.Listener) net.Listener { return tls.NewListener(ctx, ln, config) })
	c := dialTLS(t, v.addr, clients)
	io.WriteString(c, get)
	time.Sleep(5 * time.Millisecond)
	io.WriteString(c, "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	got, err := io.ReadAll(c)
	if !strings.HasSuffix(string(got), "/2") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestPlainRequestToATLSServer gets an answer that a person can read.
func TestPlainRequestToATLSServer(t *testing.T) {
	config, _ := configs(t)
	v := serveOn(t, &Server{}, func(ctx context.Context, ln net.Listener) net.Listener { return tls.NewListener(ctx, ln, config) })
	if got := exchange(t, v.addr, get); !strings.HasPrefix(got, "HTTP/1.0 400") {
		t.Errorf("%q", got)
	}
}
