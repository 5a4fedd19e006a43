package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Listener accepts TLS connections. It is a std net.Listener.
type Listener struct {
	net.Listener // of the connections below

	// HandshakeTimeout is how long a client's handshake may take, of connections
	// that tasks accept. 0 means ten seconds; negative means no limit. It is to be
	// set before the first Accept.
	HandshakeTimeout time.Duration

	// MaxHandshakes is how many handshakes may be under way at a time, of
	// connections that tasks accept; 0 means any number. A client that has sent its
	// first bytes waits for its turn, and the wait counts as part of its handshake; one
	// that has sent none does not count. Each handshake keeps the loop for a
	// millisecond or so, and holds some tens of kilobytes while it lasts. Peers that
	// stall can use up the number for the length of HandshakeTimeout: see
	// net.Server.MaxConnsPerAddr. It is to be set before the first Accept.
	MaxHandshakes int

	ctx    context.Context
	config *Config
	crowd  *crowd
}

// Listen announces on a local address, as package net's Listen does, and
// returns a [*Listener]. The config must have a certificate or a function that
// gets one.
func Listen(ctx context.Context, network, address string, config *Config) (net.Listener, error) {
	if config == nil || len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil {
		return nil, errors.New("tls: Listen without a certificate: set Certificates, GetCertificate or GetConfigForClient in the Config")
	}
	ln, err := net.Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return NewListener(ctx, ln, config), nil
}

// NewListener makes a listener of TLS connections from one of those below, whose
// loop is that of ctx, any ctx of it. The config is as for [Listen].
func NewListener(ctx context.Context, inner net.Listener, config *Config) *Listener {
	return &Listener{Listener: inner, ctx: ctx, config: config}
}

// Accept waits for the next connection. It does not wait for the handshake, which
// is left to the one that serves the connection: so nobody is held up by a slow
// client.
//
// A task gets a [*Conn]. Any other goroutine gets crypto/tls's own Conn over the
// loop's connection: it may block there, and what serves connections on
// goroutines may look for that very type, as an http.Server does before it speaks
// HTTP/2. Its handshake, and the Config's functions, run on the goroutine that
// uses it, and HandshakeTimeout does not bound it.
func (l *Listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !core.OnLoop(l.ctx) {
		return tls.Server(inner, timedServer(l.ctx, l.config)), nil
	}
	c := Server(l.ctx, inner, l.config)
	c.SetHandshakeTimeout(l.HandshakeTimeout)
	if l.MaxHandshakes > 0 {
		if l.crowd == nil {
			l.crowd = reactor.NewSemaphore(l.MaxHandshakes)
		}
		c.crowd = l.crowd
	}
	return c, nil
}
