package net

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// ErrDraining is the cause of cancellation when [UntilDrain] ends its scope.
var ErrDraining = errors.New("net: the server is draining: it accepts no more connections, and its handlers are to finish")

// Draining reports whether the server whose handler ctx belongs to has begun to
// shut down. If so, a handler should tell its peer that this answer is the last
// one, if the protocol can. Outside handlers it returns false.
func Draining(ctx context.Context) bool {
	v := servingOf(ctx)
	return v != nil && v.draining
}

// UntilDrain calls f in a scope that is cancelled, with the cause
// [ErrDraining], when the server whose handler ctx belongs to begins to shut
// down. A handler should use it to wait for its peer's next message, and only
// for that:
//
//	err := net.UntilDrain(ctx, func(context.Context) error { _, err := in.Peek(1); return err })
//
// Then an idle connection ends at once, and one with a message in progress when
// that is answered. UntilDrain returns what f returns, and costs two
// allocations. Outside handlers it only calls f.
func UntilDrain(ctx context.Context, f func(ctx context.Context) error) error {
	v := servingOf(ctx)
	if v == nil {
		return f(ctx)
	}
	return reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
		if v.draining {
			s.Cancel(ErrDraining)
			return f(ctx)
		}
		w := &idler{scope: s}
		v.idlers.add(w)
		defer v.idlers.remove(w)
		return f(ctx)
	})
}

type servingKey struct{}

func servingOf(ctx context.Context) *serving {
	v, _ := ctx.Value(servingKey{}).(*serving)
	return v
}

// An idler is an UntilDrain in progress.
type idler struct {
	scope      *reactor.CancelScope
	next, prev *idler
}

// idlers is a list of idlers, the latest first.
type idlers struct{ first *idler }

func (l *idlers) add(w *idler) {
	w.next = l.first
	if w.next != nil {
		w.next.prev = w
	}
	l.first = w
}

func (l *idlers) remove(w *idler) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	}
}

// drain tells the handlers that the server shuts down.
func (v *serving) drain() {
	v.draining = true
	for w := v.idlers.first; w != nil; w = w.next {
		w.scope.Cancel(ErrDraining)
	}
	for _, m := range v.conns.copy() {
		m.drain()
	}
}

// When a connection with unread input is closed, the kernel resets it, and the
// reset can destroy answers that the peer has not read yet. So such a
// connection is closed in two steps: this end shuts down writing, and reads on
// for a while before it closes.
const (
	lingerTime = 500 * time.Millisecond
	lingerMost = 1 << 20 // bytes
)

type input uint8

const (
	noInput   input = iota // there is none yet
	someInput              // waits to be read
	noMoreInput
)

// input reports whether there is unread input. It must be called on the loop.
func (c *conn) input() input {
	fd := c.fd.Sysfd()
	if fd < 0 {
		return noMoreInput
	}
	var b [1]byte
	m := [1]sockets.Message{{Data: b[:]}}
	_, errno := c.sys.Receive(fd, m[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return noInput
	case errno != 0 || m[0].N == 0:
		return noMoreInput
	}
	return someInput
}

// linger prepares a connection for closing after its handler has returned.
// During a shutdown it lingers even without input, because a peer that has just
// got an answer may be about to send more.
func (v *serving) linger(ctx context.Context, c Conn) {
	below, err := limitable(c)
	if err != nil {
		return
	}
	if in := below.input(); in == noMoreInput || in == noInput && !v.draining {
		return
	}
	if upper, ok := c.(interface{ CloseWrite() error }); ok && upper.CloseWrite() != nil {
		return
	}
	below.shut(unix.SHUT_WR)
	reactor.Timeout(ctx, lingerTime, func(context.Context) error {
		for n := 0; n < lingerMost; {
			p, err := below.Borrow()
			if err != nil {
				return err
			}
			n += len(p)
		}
		return io.ErrShortBuffer
	})
}
