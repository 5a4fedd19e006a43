package integration

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"golang.org/x/crypto/ssh"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// Servers for libraries that have no program of Debian's to talk to. They use the
// standard library's connections, and run in the process of the test, where there is no
// loop.

func init() {
	serve("websocket", onListener(serveWebSocket))
	serve("grpc", onListener(serveGRPC))
	serve("ssh", onListener(serveSSH))
	serve("yamux", onListener(serveYamux))
	serve("quic", startQUIC)
	serve("dns", startDNS)
}

// silence is the message that no server answers.
const silence = "silence"

// onListener starts a server that is a function with a listener.
func onListener(run func(net.Listener)) func(string) (string, func(), error) {
	return func(string) (string, func(), error) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", nil, err
		}
		go run(ln)
		return ln.Addr().String(), func() { ln.Close() }, nil
	}
}

// each calls f with each connection, on a goroutine.
func each(ln net.Listener, f func(net.Conn)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			f(c)
		}()
	}
}

// listenSilently starts a server that reads what it gets, and says nothing.
func listenSilently() (addr string, stop func(), err error) {
	return onListener(func(ln net.Listener) {
		each(ln, func(c net.Conn) { io.Copy(io.Discard, c) })
	})("")
}

// serveWebSocket sends each message back.
func serveWebSocket(ln net.Listener) {
	var up websocket.Upgrader
	http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			if string(p) == silence {
				continue
			}
			if err := c.WriteMessage(kind, p); err != nil {
				return
			}
		}
	}))
}

// serveGRPC has the health service: Check answers; Watch does so once, and then
// waits for a change, which never comes.
func serveGRPC(ln net.Listener) {
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	s.Serve(ln)
}

// serveSSH answers requests of type "ping", and none of type silence.
func serveSSH(ln net.Listener) {
	config := &ssh.ServerConfig{NoClientAuth: true}
	signer, err := ssh.NewSignerFromKey(newKey())
	if err != nil {
		log.Fatal(err)
	}
	config.AddHostKey(signer)
	each(ln, func(c net.Conn) {
		_, channels, requests, err := ssh.NewServerConn(c, config)
		if err != nil {
			return
		}
		go func() {
			for channel := range channels {
				channel.Reject(ssh.Prohibited, "requests only")
			}
		}()
		for r := range requests {
			if r.Type != silence {
				r.Reply(true, r.Payload)
			}
		}
	})
}

// serveYamux sends back what it gets, in each stream.
func serveYamux(ln net.Listener) {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	each(ln, func(c net.Conn) {
		session, err := yamux.Server(c, config)
		if err != nil {
			return
		}
		for {
			stream, err := session.AcceptStream()
			if err != nil {
				return
			}
			go echoUnlessSilence(stream)
		}
	})
}

// echoUnlessSilence sends everything back but a message that is silence.
func echoUnlessSilence(c io.ReadWriteCloser) {
	defer c.Close()
	p := make([]byte, 4096)
	for {
		n, err := c.Read(p)
		if err != nil {
			return
		}
		if string(p[:n]) != silence {
			if _, err := c.Write(p[:n]); err != nil {
				return
			}
		}
	}
}

func startQUIC(string) (string, func(), error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ln, err := quic.Listen(c, &tls.Config{Certificates: []tls.Certificate{newCertificate()}, NextProtos: []string{"echo"}}, nil)
	if err != nil {
		c.Close()
		return "", nil, err
	}
	go func() {
		for {
			conn, err := ln.Accept(context.Background())
			if err != nil {
				return
			}
			go func() {
				for {
					stream, err := conn.AcceptStream(context.Background())
					if err != nil {
						return
					}
					go echoUnlessSilence(stream)
				}
			}()
		}
	}()
	return c.LocalAddr().String(), func() { ln.Close(); c.Close() }, nil
}

// startDNS answers each question over UDP with one address, but those about
// silence.
func startDNS(string) (string, func(), error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &dns.Server{PacketConn: c, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		if q.Question[0].Name == silence+"." {
			return
		}
		answer := new(dns.Msg)
		answer.SetReply(q)
		answer.Answer = append(answer.Answer, &dns.A{
			Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
			A:   net.IPv4(192, 0, 2, 1),
		})
		w.WriteMsg(answer)
	})}
	go s.ActivateAndServe()
	return c.LocalAddr().String(), func() { s.Shutdown() }, nil
}

// newKey returns the servers' key, which no one has to keep secret.
func newKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }

func newCertificate() tls.Certificate {
	key := newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		log.Fatal(errors.New("no certificate: " + err.Error()))
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
