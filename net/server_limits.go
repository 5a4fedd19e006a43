package net

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// limits are what a Server allows a connection's peer to take its time for. When
// one is exceeded, exceed is called; not while the handler is about something
// else than this connection, for then it is not the peer who takes the time.
//
// Invariant: underway is set from the first bytes of a message that are read
// until the handler writes, and while it is, the message timer runs.
type limits struct {
	conn          *conn
	idle, message time.Duration
	idleTimer     *reactor.Timer // nil if there is no limit
	messageTimer  *reactor.Timer
	underway      bool
	exceeded      error // which one was
	exceed        func(err error)
}

func (s *Server) hasLimits() bool { return s.IdleTimeout > 0 || s.MessageTimeout > 0 }

// limit puts the server's limits on c.
func (s *Server) limit(ctx context.Context, c *conn, exceed func(err error)) *limits {
	l := &limits{conn: c, idle: s.IdleTimeout, message: s.MessageTimeout, exceed: exceed}
	if l.idle > 0 {
		l.idleTimer = reactor.LoopOf(ctx).CallLater(l.idle, func() { l.passed(ErrIdleTimeout, l.idleTimer, l.idle) })
	}
	if l.message > 0 {
		l.messageTimer = reactor.LoopOf(ctx).CallLater(l.message, func() { l.passed(ErrMessageTimeout, l.messageTimer, l.message) })
		l.messageTimer.Stop()
	}
	c.limits = l
	return l
}

func (l *limits) passed(err error, timer *reactor.Timer, d time.Duration) {
	switch {
	case !l.conn.fd.Awaited():
		timer.Reset(d)
	case l.exceeded == nil:
		l.exceeded = err
		l.exceed(err)
	}
}

// heard is called when something was read.
func (l *limits) heard() {
	if l.idleTimer != nil {
		l.idleTimer.Reset(l.idle)
	}
	if l.messageTimer != nil && !l.underway {
		l.underway = true
		l.messageTimer.Reset(l.message)
	}
}

// spoke is called when something was written.
func (l *limits) spoke() {
	if l.idleTimer != nil {
		l.idleTimer.Reset(l.idle)
	}
	if l.underway {
		l.underway = false
		l.messageTimer.Stop()
	}
}

// stop ends the limits of a connection that has ended with err, and returns
// why it has.
func (l *limits) stop(err error) error {
	if l.idleTimer != nil {
		l.idleTimer.Stop()
	}
	if l.messageTimer != nil {
		l.messageTimer.Stop()
	}
	if l.exceeded != nil && (err == nil || isUnremarkable(err)) {
		return l.exceeded
	}
	return err
}

// The causes with which a handler is cancelled whose peer takes too long. Both
// are an [os.ErrDeadlineExceeded] for errors.Is.
var (
	ErrIdleTimeout    error = &limitError{"net: the connection was idle for too long"}
	ErrMessageTimeout error = &limitError{"net: a message took too long to arrive"}
)

type limitError struct{ text string }

func (e *limitError) Error() string { return e.text }

func (e *limitError) Timeout() bool { return true }

func (e *limitError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// limitable returns the connection of this package's that c is, or that is
// below it.
func limitable(c Conn) (*conn, error) {
	for {
		if own := connOf(c); own != nil {
			return own, nil
		}
		upper, ok := c.(interface{ NetConn() Conn })
		if !ok {
			return nil, errNotLimitable
		}
		c = upper.NetConn()
	}
}

var errNotLimitable = errors.New("net: IdleTimeout and MessageTimeout need connections of this package's, or such that tell theirs by a method NetConn")
