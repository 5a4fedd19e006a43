package tls_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/net/tls"
	"github.com/eddyio/eddy/reactor"
)

// An echo server over TLS and a client, tasks of one loop.
func ExampleListen() {
	cert, pool := selfSigned()
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := tls.Listen(ctx, "tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
		if err != nil {
			return err
		}
		server := reactor.Go(ctx, func(ctx context.Context) error {
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
		})
		c, err := tls.Dial(ctx, "tcp", ln.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "localhost"})
		if err != nil {
			return err
		}
		fmt.Fprintln(c, "hello")
		line, err := bufio.NewReader(c).ReadString('\n')
		fmt.Print(line)
		c.Close()
		ln.Close()
		return errors.Join(err, server.Wait(ctx))
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: hello
}

func selfSigned() (tls.Certificate, *x509.CertPool) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, _ := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	leaf, _ := x509.ParseCertificate(der)
	pool := tls.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
