package net

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// acceptPause is how long accepting rests when there are no resources for
// another connection.
const acceptPause = 100 * time.Millisecond

func (v *serving) accept(ctx context.Context, ln Listener) error {
	starved := false
	for {
		if err := v.waitForRoom(ctx); err != nil {
			return err
		}
		c, err := ln.Accept()
		switch {
		case err == nil:
			starved = false
			if err := v.admit(c); err != nil {
				return err
			}
		case isStarved(err):
			if !starved {
				starved = true
				v.log.Warn("net: accepting pauses: out of resources for another connection", "addr", ln.Addr().String(), "error", err)
			}
			if err := reactor.Sleep(ctx, acceptPause); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// waitForRoom waits while there are too many connections, unless they are shed.
func (v *serving) waitForRoom(ctx context.Context) error {
	for v.isFull() && !v.Shed {
		v.room.Clear()
		if err := v.room.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (v *serving) isFull() bool { return v.MaxConns > 0 && v.stats.active.Load() >= int64(v.MaxConns) }

// admit starts to serve a connection.
func (v *serving) admit(c Conn) error {
	if v.isFull() { // another listener's may have come meanwhile
		v.stats.shed.Add(1)
		c.Close()
		return nil
	}
	if err := v.start(v, c); err != nil {
		c.Close()
		return err
	}
	v.stats.accepted.Add(1)
	v.stats.active.Add(1)
	v.empty.Clear()
	return nil
}

// left is called once a connection is closed and its handler has returned.
func (v *serving) left(m member, err error) {
	v.conns.remove(m)
	v.stats.active.Add(-1)
	v.room.Set()
	if v.conns.len() == 0 {
		v.empty.Set()
	}
	switch {
	case errors.Is(err, ErrIdleTimeout), errors.Is(err, ErrMessageTimeout):
		v.stats.expired.Add(1)
	case err != nil && !isUnremarkable(err):
		v.stats.failed.Add(1)
		v.log.Error("net: a handler failed", "peer", m.peerAddr().String(), "error", err)
	}
}

func isStarved(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ENOSPC: // epoll's limit of registrations
		return true
	}
	return false
}

// isUnremarkable reports whether a handler's error only means that its connection
// ended, from either side. What is joined to such an error counts by itself.
func isUnremarkable(err error) bool {
	switch e := err.(type) {
	case *reactor.PanicError:
		return false // whatever it panicked with
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(e error) bool { return !isUnremarkable(e) })
	}
	if isEnd(err) {
		return true
	}
	inner := errors.Unwrap(err)
	return inner != nil && isUnremarkable(inner)
}

// isEnd reports whether err, whatever it wraps, is the end of a connection.
func isEnd(err error) bool {
	is, _ := err.(interface{ Is(error) bool })
	for _, e := range []error{io.EOF, ErrClosed, os.ErrClosed, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded, syscall.ECONNRESET, syscall.EPIPE} {
		if err == e || is != nil && is.Is(e) {
			return true
		}
	}
	return false
}

// finish waits for the handlers for the grace time, and then ends them.
func (v *serving) finish(ctx context.Context, handlers *reactor.CancelScope) {
	grace := v.Grace
	if grace == 0 {
		grace = 5 * time.Second
	}
	for _, m := range v.conns.copy() {
		m.drain()
	}
	if grace > 0 {
		reactor.Timeout(ctx, grace, v.empty.Wait)
	}
	handlers.Cancel(ErrServerClosed)
	for _, m := range v.conns.copy() { // a copy: a Close may suspend, and handlers end meanwhile
		m.end()
	}
	v.empty.Wait(ctx)
}
