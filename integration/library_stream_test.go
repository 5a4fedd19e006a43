package integration

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/quic-go/quic-go"
	"golang.org/x/crypto/ssh"
)

func init() {
	add(&library{name: "x/crypto/ssh", module: "golang.org/x/crypto", servers: []string{"ssh"}, open: openSSH})
	add(&library{name: "yamux", module: "github.com/hashicorp/yamux", servers: []string{"yamux"}, open: openYamux})
	add(&library{name: "quic-go", module: "github.com/quic-go/quic-go", servers: []string{"quic"}, open: openQUIC})
}

func openSSH(ctx context.Context, at *site) (*client, error) {
	conn, err := at.dial(ctx, "tcp", at.addr["ssh"])
	if err != nil {
		return nil, err
	}
	c, channels, requests, err := ssh.NewClientConn(conn, "server", &ssh.ClientConfig{
		User: "eddy", HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	s := ssh.NewClient(c, channels, requests)
	return &client{
		op: func(context.Context) error {
			_, p, err := s.SendRequest("ping", true, []byte("hello"))
			return is(string(p), "hello", err)
		},
		silent: func(ctx context.Context) error {
			return interrupted(ctx, conn, func() error {
				_, _, err := s.SendRequest(silence, true, nil)
				return err
			})
		},
		close: func() { s.Close() },
	}, nil
}

// A stream is one of many over a connection.
type stream interface {
	io.ReadWriter
	SetDeadline(time.Time) error
}

// overStream is a client of a server that echoes. A stream is read by a goroutine of
// the connection, so that not even a task's scope ends the wait for it.
func overStream(s stream, close func()) *client {
	talk := func(message string) (string, error) {
		if _, err := io.WriteString(s, message); err != nil {
			return "", err
		}
		p := make([]byte, len(message))
		_, err := io.ReadFull(s, p)
		return string(p), err
	}
	return &client{
		op: func(context.Context) error {
			answer, err := talk("hello")
			return is(answer, "hello", err)
		},
		silent: func(ctx context.Context) error {
			return interrupted(ctx, s, func() error {
				_, err := talk(silence)
				return err
			})
		},
		close: close,
	}
}

func openYamux(ctx context.Context, at *site) (*client, error) {
	conn, err := at.dial(ctx, "tcp", at.addr["yamux"])
	if err != nil {
		return nil, err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	session, err := yamux.Client(conn, config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	s, err := session.OpenStream()
	if err != nil {
		session.Close()
		return nil, err
	}
	return overStream(s, func() { session.Close() }), nil
}

func openQUIC(ctx context.Context, at *site) (*client, error) {
	conn, err := at.listen(ctx, "udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	to, err := net.ResolveUDPAddr("udp", at.addr["quic"])
	if err != nil {
		conn.Close()
		return nil, err
	}
	t := &quic.Transport{Conn: conn}
	close := func() {
		t.Close()
		conn.Close()
	}
	c, err := t.Dial(ctx, to, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"echo"}}, nil)
	if err != nil {
		close()
		return nil, err
	}
	s, err := c.OpenStreamSync(ctx)
	if err != nil {
		close()
		return nil, err
	}
	return overStream(s, close), nil
}
