package tls

import (
	"context"
	"fmt"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// defaultHandshakeTimeout is that of servers, which must not keep a client for
// ever that connects and says nothing.
const defaultHandshakeTimeout = 10 * time.Second

// SetHandshakeTimeout sets how long the handshake may take, from its beginning to its
// end, however its bytes come: a client that sends them one at a time is cut off
// too. 0 means ten seconds, and negative no limit, as a client has it at first. It is to be called before the
// handshake, and by the one who does it.
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

// HandshakeContext is like [Conn.Handshake], and fails when ctx, any context, is done
// first. One that has failed, for this or another reason, can't be repeated.
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

// handshake does the handshake below ctx, or waits for the task that does it.
// A nil ctx is a callback's, which can't wait.
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
		c.meter.Writing(false) // the handshake has been the peer's doing
		c.done.Store(true)
	}
	return err
}

// A crowd bounds the handshakes of a listener that are under way at a time.
type crowd = reactor.Semaphore

// join waits, in a task, once the peer of a handshake has said something, until there are few
// enough others.
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

// part makes room for another handshake.
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
