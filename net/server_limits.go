package net

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/poll"
)

// limits holds a Server's time limits for a connection's peer. When one is
// exceeded, exceed is called, but not while the handler does something other
// than wait for this connection: then the peer is not the cause.
//
// Reads and writes, of tasks and goroutines, only record their time. A timer
// checks it at the earliest moment at which a limit may be exceeded.
type limits struct {
	activity      poll.Activity
	conn          *conn
	idle, message time.Duration
	idleTimer     *reactor.Timer // nil if there is no limit
	messageTimer  *reactor.Timer
	exceeded      error // which one was
	exceed        func(err error)
}

func (s *Server) hasLimits() bool { return s.IdleTimeout > 0 || s.MessageTimeout > 0 }

// limit applies the server's limits to c.
func (s *Server) limit(ctx context.Context, c *conn, exceed func(err error)) *limits {
	l := &limits{conn: c, idle: s.IdleTimeout, message: s.MessageTimeout, exceed: exceed}
	l.activity.Start(c.fd.Loop())
	if l.idle > 0 {
		l.idleTimer = reactor.LoopOf(ctx).CallLater(l.idle, l.lookAtIdle)
	}
	if l.message > 0 {
		l.messageTimer = reactor.LoopOf(ctx).CallLater(l.message, l.lookAtMessage)
	}
	c.fd.Activity = &l.activity
	return l
}

func (l *limits) lookAtIdle() { l.look(ErrIdleTimeout, l.idleTimer, l.idle, l.activity.Last()) }

// lookAtMessage runs at least once per l.message, so that it sees the next
// message in time.
func (l *limits) lookAtMessage() {
	began := l.activity.MessageBegan()
	if began == 0 {
		l.messageTimer.Reset(l.message)
		return
	}
	l.look(ErrMessageTimeout, l.messageTimer, l.message, began)
}

// look ends the connection if a limit that began at since is exceeded, and else
// sets the timer for the earliest moment at which it may be.
func (l *limits) look(err error, timer *reactor.Timer, limit, since time.Duration) {
	switch left := since + limit - l.conn.fd.Loop().Time(); {
	case left > 0:
		timer.Reset(left)
	case !l.conn.fd.Awaited():
		timer.Reset(limit)
	case l.exceeded == nil:
		l.exceeded = err
		l.exceed(err)
	}
}

// stop ends the limits of a connection that has ended with err, and returns the
// reason: the exceeded limit, if any, or err.
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

// The causes of cancellation of a handler whose peer takes too long. For
// errors.Is both are [os.ErrDeadlineExceeded].
var (
	ErrIdleTimeout    error = &limitError{"net: the connection was idle for too long"}
	ErrMessageTimeout error = &limitError{"net: a message took too long to arrive"}
)

type limitError struct{ text string }

func (e *limitError) Error() string { return e.text }

func (e *limitError) Timeout() bool { return true }

func (e *limitError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// limitable returns the connection of this package that c is or wraps.
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

var errNotLimitable = errors.New("net: IdleTimeout and MessageTimeout need connections of this package, or ones whose method NetConn returns one")
