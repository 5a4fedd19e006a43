package net

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/eddyio/eddy/reactor"
)

func (v *serving) accept(ctx context.Context, ln Listener) error {
	f := failures{v: v, addr: ln.Addr().String()}
	for {
		if err := v.waitForRoom(ctx); err != nil {
			return err
		}
		c, err := ln.Accept()
		if err == nil {
			f.over()
			err = v.admit(c)
		} else if ctx.Err() == nil && !isGone(err) {
			err = f.goOn(ctx, err)
		}
		if err != nil {
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

// admit starts serving a connection.
func (v *serving) admit(c Conn) error {
	tooMany := v.MaxConnsPerAddr > 0 && v.hasTooMany(c.RemoteAddr())
	if tooMany {
		v.log.tell(slog.LevelWarn, "net: a connection was closed at once: its address has too many", "", "peer", c.RemoteAddr().String())
	}
	if tooMany || v.isFull() { // another listener may have accepted one meanwhile
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
	if v.MaxConnsPerAddr > 0 {
		v.count(c.RemoteAddr(), 1)
	}
	v.empty.Clear()
	return nil
}

// left is called once a connection is closed and its handler has returned.
func (v *serving) left(m member, err error) {
	v.conns.remove(m)
	v.stats.active.Add(-1)
	if v.MaxConnsPerAddr > 0 {
		v.count(m.peerAddr(), -1)
	}
	v.room.Set()
	if v.conns.len() == 0 {
		v.empty.Set()
	}
	switch {
	case errors.Is(err, ErrIdleTimeout), errors.Is(err, ErrMessageTimeout):
		v.stats.expired.Add(1)
	case err != nil && !isUnremarkable(err):
		v.stats.failed.Add(1)
		v.log.tell(slog.LevelError, "net: a handler failed", keyOf(err), "peer", m.peerAddr().String(), "error", err)
	}
}

// finish waits for the handlers for the grace time, then ends them.
func (v *serving) finish(ctx context.Context, handlers *reactor.CancelScope) {
	grace := v.Grace
	if grace == 0 {
		grace = 5 * time.Second
	}
	v.drain()
	if grace > 0 {
		reactor.Timeout(ctx, grace, v.empty.Wait)
	}
	handlers.Cancel(ErrServerClosed)
	for _, m := range v.conns.copy() { // a copy: a Close may suspend, and handlers end meanwhile
		m.end()
	}
	v.empty.Wait(ctx)
}
