package shard

import (
	"context"
	"errors"
	"strings"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A Listener spreads the connections of one address over shards. Each shard that serves
// some calls Listen, and gets a listener of its own:
//
//	at := &shard.Listener{Network: "tcp", Address: "127.0.0.1:7000"}
//	shard.Run(ctx, func(ctx context.Context, s *shard.Shard[struct{}]) error {
//		ln, err := at.Listen(ctx)
//		if err != nil {
//			return err
//		}
//		return net.Serve(ctx, ln, handle)
//	})
//
// It is for one run of a program. It must not be copied, and its fields must not change,
// once Listen was called.
type Listener struct {
	Network string // "tcp", "tcp4", "tcp6" or "unix"
	Address string

	// Config configures the sockets. ReusePort is for Join.
	Config net.ListenConfig

	// Balance chooses the shard for each connection: [LeastConns], [ByAddress] or a
	// function of the program. Shard 0 accepts all connections then, and hands them over,
	// which costs a message each, and a message for its close. A shard that accepts no
	// more for now, because it has Server.MaxConns, holds 128, and then holds up all.
	//
	// nil lets the kernel choose, where it can: on Linux, FreeBSD and DragonFly, for TCP.
	// Each shard has a socket that accepts then (SO_REUSEPORT). It chooses by a hash of the
	// addresses and ports, so that shards differ as chance has it. When one of several
	// such sockets is closed, the connections in its queue are reset, unless
	// net.ipv4.tcp_migrate_req is set. Elsewhere nil means LeastConns.
	Balance Balance

	// Join lets other programs of this user, which do the same, have the address too, and
	// get a share of its connections (SO_REUSEPORT): for a restart, say. Otherwise Listen
	// fails with EADDRINUSE if another program has it. To find out, shard 0 binds it
	// first without SO_REUSEPORT, and closes that socket; a client that connects
	// to it is reset. A program that binds the
	// address with SO_REUSEPORT in the moments between is not noticed; if Address has no
	// port, one that binds the port that the kernel has just chosen makes Listen fail, or
	// is not noticed.
	Join bool

	// These belong to shard 0.
	opening  reactor.Mutex
	opened   bool
	addr     string
	acceptor *acceptor
}

// Listen returns the calling shard's listener, which is a [*net.TCPListener], or for Serve
// and ServeReady as good as one. It must be called by a task of a shard, which may call
// others: at most once on each shard. The shard's loop closes the listener when it ends.
func (l *Listener) Listen(ctx context.Context) (net.Listener, error) {
	s, ok := ctx.Value(shardKey{}).(member)
	switch {
	case !ok:
		return nil, errors.New("shard: Listener.Listen outside of a shard: pass the ctx of a Program's function")
	case s.shards() == 1:
		c := l.Config
		c.ReusePort = l.Join
		return c.Listen(ctx, l.Network, l.Address)
	case l.Balance == nil && kernelBalances && strings.HasPrefix(l.Network, "tcp"):
		return l.listenBeside(ctx, s)
	}
	return l.branch(ctx, s)
}

// listenBeside makes a socket that listens beside those of the other shards.
func (l *Listener) listenBeside(ctx context.Context, s member) (net.Listener, error) {
	var addr string
	err := callMember(ctx, s, s.member(0), func(ctx context.Context) (err error) {
		addr, err = l.vacant(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	c := l.Config
	c.ReusePort = true
	return c.Listen(ctx, l.Network, addr)
}

// vacant returns the address to listen at, with a port, after a trial. It is called on
// shard 0.
func (l *Listener) vacant(ctx context.Context) (string, error) {
	if err := l.opening.Lock(ctx); err != nil {
		return "", err
	}
	defer l.opening.Unlock()
	if l.opened {
		return l.addr, nil
	}
	c := l.Config
	c.ReusePort = l.Join
	trial, err := c.Listen(ctx, l.Network, l.Address)
	if err != nil {
		return "", err
	}
	l.opened, l.addr = true, trial.Addr().String()
	return l.addr, trial.Close()
}

// branch makes a listener that gets its connections from the acceptor.
func (l *Listener) branch(ctx context.Context, s member) (net.Listener, error) {
	var a *acceptor
	err := callMember(ctx, s, s.member(0), func(ctx context.Context) (err error) {
		a, err = l.accepting(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	b, err := net.NewBranch(ctx, a.ln)
	if err != nil {
		return nil, err
	}
	err = callMember(ctx, s, s.member(0), func(context.Context) error { return a.add(s.Index(), b) })
	if err != nil {
		b.Close()
		return nil, err
	}
	return &branch{b, a, s.Index()}, nil
}

// accepting returns the acceptor, which the first call makes. It is called on shard 0.
func (l *Listener) accepting(ctx context.Context) (*acceptor, error) {
	if err := l.opening.Lock(ctx); err != nil {
		return nil, err
	}
	defer l.opening.Unlock()
	if l.opened {
		return l.acceptor, nil
	}
	c := l.Config
	c.ReusePort = l.Join
	ln, err := c.Listen(ctx, l.Network, l.Address)
	if err != nil {
		return nil, err
	}
	s := ctx.Value(shardKey{}).(member)
	choose := l.Balance
	if choose == nil {
		choose = LeastConns
	}
	l.opened, l.acceptor = true, newAcceptor(s, ln, choose)
	return l.acceptor, nil
}

// A branch is a shard's listener that an acceptor gives connections to.
type branch struct {
	*net.Branch
	of    *acceptor
	shard int
}

// Close stops listening on this shard. The acceptor's listener is closed with the last one.
func (b *branch) Close() error {
	err := b.Branch.Close()
	if err == nil {
		b.of.home.core().Post(func() { b.of.remove(b.shard) })
	}
	return err
}
