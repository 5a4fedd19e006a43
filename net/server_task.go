package net

import (
	"context"
	"errors"
	"fmt"

	"github.com/eddyio/eddy/reactor/core"
)

// served is a connection and its handler's task.
type served struct {
	v      *serving
	conn   Conn
	task   *core.Task
	limits *limits
	place  int
}

func (v *serving) startTask(c Conn) error {
	e := &served{v: v, conn: c}
	if v.hasLimits() {
		below, err := limitable(c)
		if err != nil {
			return err
		}
		e.limits = v.limit(v.ctx, below, func(err error) { e.task.Cancel(err) })
	}
	v.conns.add(e)
	e.task = core.Launch(v.ctx, e)
	return nil
}

// Run and Over implement core.Runner. The task closes the connection, because
// closing a TLS connection may have to wait; after a panic Over closes it. A
// deferred call would take sixty bytes of every idle connection's stack, which
// has about a thousand before it grows.

func (e *served) Run(ctx context.Context) error {
	return e.handled(ctx, e.v.handler(ctx, e.conn))
}

// handled closes the connection. It is not inlined, because Run's frame is on
// every idle connection's stack.
//
//go:noinline
func (e *served) handled(ctx context.Context, err error) error {
	if err == nil || e.v.draining && errors.Is(err, ErrDraining) {
		e.v.linger(ctx, e.conn)
	}
	e.conn.Close()
	return err
}

func (e *served) Over(err error) {
	e.conn.Close()
	if e.limits != nil {
		err = e.limits.stop(err)
	}
	e.v.left(e, err)
}

func (e *served) index() *int { return &e.place }

func (e *served) peerAddr() Addr { return e.conn.RemoteAddr() }

func (e *served) drain() {} // the handler itself ends the connection

func (e *served) end() { e.conn.Close() }

// Label names the handler's task.
func (e *served) Label() (string, fmt.Stringer) {
	if c := connOf(e.conn); c != nil && c.peer != nil {
		return "serves", c.peer
	}
	return "serves", e.conn.RemoteAddr()
}

// Function returns the handler.
func (e *served) Function() any { return e.v.handler }
