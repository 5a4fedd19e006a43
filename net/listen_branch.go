package net

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Handoff is a connection that a task of one loop has accepted for another loop; see
// [Branch]. It must be given to a Branch, or closed.
type Handoff struct {
	message core.Message
	from    *listener
	fd      int
	peer    unix.Sockaddr
	err     error
	to      *Branch
}

// AcceptHandoff waits for the next connection of ln, a listener of this package. It must be
// called by a task of its loop.
func AcceptHandoff(ln Listener) (*Handoff, error) {
	l := listenerOf(ln)
	if l == nil || !l.fd.OnLoop() {
		return nil, opError("accept", ln.Addr().Network(), nil, ln.Addr(), errors.New("AcceptHandoff is for tasks of the loop of a TCPListener or UnixListener"))
	}
	fd, peer, err := l.fd.Accept()
	if err != nil {
		return nil, l.failed("accept", err)
	}
	return &Handoff{from: l, fd: fd, peer: peer}, nil
}

// FailedHandoff returns a Handoff of an error, which the Accept of a [Branch] returns.
func FailedHandoff(err error) *Handoff { return &Handoff{err: err} }

func listenerOf(ln Listener) *listener {
	switch l := ln.(type) {
	case *TCPListener:
		return &l.listener
	case *UnixListener:
		return &l.listener
	}
	return nil
}

// RemoteAddr returns the peer's address.
func (h *Handoff) RemoteAddr() Addr { return addressOn(h.from.network, h.peer) }

// Close closes the connection.
func (h *Handoff) Close() {
	if h.err == nil {
		h.from.sys.Close(h.fd)
	}
}

// maxHandoffs is how many connections wait in a Branch before Give waits.
const maxHandoffs = 128

// A Branch is a listener of one loop whose connections another loop accepts, from a
// listener of its own, and hands over by [Branch.Give]. So one task can spread them over
// many loops. Serve and ServeReady serve a Branch like its listener.
type Branch struct {
	base      listener // of its connections; it has no descriptor
	loop      *core.Loop
	keepAlive KeepAliveConfig
	heirs     bool
	open      atomic.Int64 // connections given, and not closed
	waiting   atomic.Int64 // of these, not yet accepted

	// These belong to the loop's thread.
	queue   []*Handoff
	tasks   core.WaitList // that wait in Accept
	isOver  bool
	closing atomic.Bool

	mu     sync.Mutex
	givers []func() // wake those that wait in Give
}

// NewBranch makes a Branch of ln, a listener of this package, on the loop of ctx, which
// closes it when it ends. It must be called by a task of that loop.
func NewBranch(ctx context.Context, ln Listener) (*Branch, error) {
	of := listenerOf(ln)
	if of == nil || !core.InTask(ctx) {
		return nil, errors.New("net: NewBranch is for a TCPListener or UnixListener, and must be called by a task")
	}
	b := &Branch{loop: core.Nearest(ctx).Loop()}
	b.base.sys, b.base.network, b.base.addr, b.base.ended = of.sys, of.network, of.addr, b.left
	if l, ok := ln.(*TCPListener); ok {
		b.keepAlive, b.heirs = l.keepAlive, l.heirs
	}
	b.loop.AtEnd(b.end)
	return b, nil
}

// Conns returns how many connections were given to b and are not closed. It may be called
// from any goroutine.
func (b *Branch) Conns() int { return int(b.open.Load()) }

// Give hands a connection over, and waits while too many others wait to be accepted there. It
// must be called by a task, of any loop. The error is ctx's, or [ErrClosed]; then h is
// still the caller's.
func (b *Branch) Give(ctx context.Context, h *Handoff) error {
	for b.waiting.Load() >= maxHandoffs {
		if err := b.awaitRoom(ctx); err != nil {
			return err
		}
	}
	h.to, h.message.Hook = b, (*arrival)(h)
	b.waiting.Add(1)
	if h.err == nil {
		b.open.Add(1)
	}
	if b.closing.Load() || !b.loop.PostMessage(&h.message) {
		b.forget(h)
		return ErrClosed
	}
	return nil
}

// awaitRoom waits until a connection was accepted, or b is closed.
func (b *Branch) awaitRoom(ctx context.Context) error {
	var room reactor.Event
	home := reactor.LoopOf(ctx)
	defer home.Hold()()
	b.mu.Lock()
	b.givers = append(b.givers, func() { home.Post(room.Set) })
	b.mu.Unlock()
	if b.waiting.Load() < maxHandoffs || b.closing.Load() {
		b.wakeGivers()
	}
	return room.Wait(ctx)
}

func (b *Branch) wakeGivers() {
	b.mu.Lock()
	givers := b.givers
	b.givers = nil
	b.mu.Unlock()
	for _, wake := range givers {
		wake()
	}
}

// forget removes a connection that nobody will accept from b's counts.
func (b *Branch) forget(h *Handoff) {
	if h.err == nil {
		b.left()
	}
	if b.waiting.Add(-1) == maxHandoffs-1 {
		b.wakeGivers()
	}
}

// left is called when a connection is closed.
func (b *Branch) left() { b.open.Add(-1) }

// arrival is a Handoff that arrives.
type arrival Handoff

func (a *arrival) Wake() {
	h := (*Handoff)(a)
	b := h.to
	if b.isOver {
		b.forget(h)
		h.Close()
		return
	}
	b.queue = append(b.queue, h)
	b.tasks.WakeFirst(core.WokenDone)
}

// next waits for the next connection.
func (b *Branch) next() (*Handoff, error) {
	w, s, err := core.Await(core.Here(b.loop.Root()), "Branch.Accept")
	for err == nil {
		switch {
		case b.isOver:
			return nil, ErrClosed
		case len(b.queue) > 0:
			h := b.queue[0]
			b.queue[0] = nil
			b.queue = b.queue[1:]
			if b.waiting.Add(-1) == maxHandoffs-1 {
				b.wakeGivers()
			}
			return h, h.err
		}
		err = b.tasks.Wait(w, s, (*branchWait)(b))
	}
	return nil, err
}

// branchWait describes the wait in Accept.
type branchWait Branch

func (w *branchWait) Describe(d *core.Wait) { d.For, d.On = "a connection to", w.base.addr }

func (w *branchWait) String() string { return core.Described(w) }

// Addr returns the address of the listener.
func (b *Branch) Addr() Addr { return b.base.addr }

// Accept waits for the next connection. It may be called from any goroutine; one that is
// no task of the loop waits for its turn.
func (b *Branch) Accept() (Conn, error) {
	if !b.loop.OnThread() {
		return reactor.Submit(reactor.Facade(b.loop), func(context.Context) (Conn, error) { return b.Accept() })(context.Background())
	}
	if isTCP(b.base.network) {
		c := &TCPConn{}
		return accepted(c, b.acceptInto(&c.conn))
	}
	c := &UnixConn{}
	return accepted(c, b.acceptInto(&c.conn))
}

func accepted(c Conn, err error) (Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (b *Branch) acceptReady(c *ReadyConn) error { return b.acceptInto(&c.conn) }

func (b *Branch) acceptInto(c *conn) error {
	h, err := b.next()
	if err == nil {
		err = b.take(c, h)
	}
	if err != nil {
		return b.base.failed("accept", err)
	}
	if isTCP(b.base.network) && !b.heirs {
		setTCPOptions(c.sys, c.fd.Sysfd(), b.keepAlive)
	}
	return nil
}

// take opens c for a connection that was handed over.
func (b *Branch) take(c *conn, h *Handoff) error {
	local := b.base.addr
	if a, ok := local.(*TCPAddr); ok && a.IP.IsUnspecified() {
		sa, err := b.base.sys.LocalAddr(h.fd)
		if err != nil {
			b.left()
			h.Close()
			return os.NewSyscallError("getsockname", err)
		}
		local = addressOn(b.base.network, sa)
	}
	c.origin, c.peer = b.base.originAt(local), compact(b.base.network, h.peer)
	if err := c.fd.Open(b.loop.Root(), h.fd, &c.kind); err != nil {
		b.left()
		h.Close()
		return err
	}
	return nil
}

// Close stops listening: Accept returns [ErrClosed]. Connections that wait to be accepted
// are closed; accepted ones stay open.
func (b *Branch) Close() error {
	if !b.closing.CompareAndSwap(false, true) {
		return b.base.failed("close", ErrClosed)
	}
	if b.loop.OnThread() {
		b.end()
	} else {
		b.loop.Post(b.end)
	}
	return nil
}

func (b *Branch) end() {
	b.closing.Store(true)
	b.isOver = true
	queue := b.queue
	b.queue = nil
	for _, h := range queue {
		b.forget(h)
		h.Close()
	}
	b.wakeGivers()
	b.tasks.WakeAll(core.WokenDone)
}
