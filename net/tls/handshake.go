package tls

import (
	"context"
	"fmt"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// defaultHandshakeTimeout is the limit of servers, which must not keep a silent
// client forever.
const defaultHandshakeTimeout = 10 * time.Second

// SetHandshakeTimeout limits the total time of the handshake; a client that
// trickles single bytes does not extend it. 0 means ten seconds, and a negative
// d no limit, the default of clients. It must be called before the handshake,
// by the task or goroutine that does it.
func (c *Conn) SetHandshakeTimeout(d time.Duration) {
	if d == 0 {
		d = defaultHandshakeTimeout
	}
	c.limit = d
}

// Handshake does the handshake, unless it is done.
func (c *Conn) Handshake() error {
	switch {
	case c.done.Load():
		return nil
	case !core.OnLoop(c.ctx):
		return c.handshakeApart(context.Background())
	}
	return c.handshake(core.Here(c.ctx))
}

// HandshakeContext is like [Conn.Handshake], but fails if ctx, which may be any
// context, is done first. A failed handshake can't be repeated.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if !core.OnLoop(c.ctx) {
		return c.handshakeApart(ctx)
	}
	if here := core.Here(c.ctx); here == nil {
		return c.handshake(here)
	}
	if l := reactor.LoopOf(c.ctx); reactor.LoopOf(ctx) != l {
		return l.Within(ctx, c.handshake)
	}
	return c.handshake(ctx)
}

// handshake does the handshake under ctx, or waits for the task that does it.
// ctx is nil in a callback, which can't wait.
func (c *Conn) handshake(ctx context.Context) error {
	switch {
	case c.done.Load():
		return nil
	case c.refused != nil:
		return c.refused
	case ctx == nil:
		return c.failed("handshake", errInCallback)
	}
	if err := c.shaking.Lock(ctx); err != nil {
		return c.failed("handshake", err)
	}
	defer c.shaking.Unlock()
	if c.done.Load() { // meanwhile
		return nil
	}
	return reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
		if c.limit > 0 {
			if err := s.SetTimeout(c.limit); err != nil {
				return err
			}
		}
		err := plain(c.shake(ctx))
		if err != nil && ctx.Err() != nil {
			err = c.failed("handshake", whyDone(ctx))
		}
		return err
	})
}

// handshakeApart does the handshake for a goroutine.
func (c *Conn) handshakeApart(ctx context.Context) error {
	switch {
	case reactor.LoopOf(c.ctx) == nil:
		return errNoLoop
	case c.done.Load():
		return nil
	case c.refused != nil:
		return c.refused
	}
	c.shaking.LockApart()
	defer c.shaking.Unlock()
	if c.done.Load() { // meanwhile
		return nil
	}
	if c.limit > 0 {
		limited, cancel := context.WithTimeout(ctx, c.limit)
		defer cancel()
		ctx = limited
	}
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := plain(c.shake(ctx))
	if err != nil && ctx.Err() != nil {
		err = c.failed("handshake", whyDone(ctx))
	}
	return err
}

func whyDone(ctx context.Context) error {
	if cause := reactor.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

func (c *Conn) shake(ctx context.Context) error {
	c.meter = net.MeterOf(c.conn)
	defer c.part()
	err := c.tls.HandshakeContext(ctx)
	if flushed := c.finish(); err == nil {
		err = flushed
	}
	if err == nil {
		c.meter.Writing(false) // the peer took part in the handshake
		c.done.Store(true)
	}
	return err
}

// A crowd limits the concurrent handshakes of a listener.
type crowd = reactor.Semaphore

// join waits, in a task, until there are few enough other handshakes. It is
// called once the peer has sent something.
func (c *Conn) join() error {
	if c.crowd == nil || c.inCrowd || c.done.Load() || !core.OnLoop(c.ctx) {
		return nil
	}
	ctx := core.Here(c.ctx)
	if ctx == nil {
		return errInCallback
	}
	if err := c.crowd.Acquire(ctx, 1); err != nil {
		return err
	}
	c.inCrowd = true
	return nil
}

// part ends the use of crowd, which makes room for another handshake.
func (c *Conn) part() {
	if c.inCrowd {
		c.inCrowd = false
		c.crowd.Release(1)
	}
}

// finish writes the end of the handshake, or the alert with which it failed.
func (c *Conn) finish() error {
	if err := c.lock(&c.writing); err != nil {
		return err
	}
	defer c.writing.Unlock()
	return c.flush()
}
