package integration

import (
	"context"
	"net"
	"time"
)

// A library is one use of a library.
type library struct {
	name    string   // as the page has it
	module  string   // whose version the page has; "" is the standard library
	servers []string // that it needs
	open    func(ctx context.Context, at *site) (*client, error)

	// patience is for how long a call waits for an answer that never comes; 0 means
	// little. By then the server must have begun with it, if it is the server that has
	// to end it.
	patience time.Duration
}

// A client is a library's connection, or pool of them. What may wait obeys ctx, as
// far as the library lets it.
type client struct {
	op     func(ctx context.Context) error // one round trip, whose answer it checks
	silent func(ctx context.Context) error // a round trip without an answer
	close  func()
}

// A site is where a library is used, and whose connections it gets.
type site struct {
	addr   map[string]string // of the servers
	inTask bool              // it is called by a task, with eddy's connections
	ctx    context.Context   // for the end of a client's
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	listen func(ctx context.Context, network, addr string) (net.PacketConn, error)
}

// bounded calls f, which waits for conn and knows no ctx, and ends its wait when ctx
// is done. A task's reads and writes obey its scope anyway.
func (at *site) bounded(ctx context.Context, conn interface{ SetDeadline(time.Time) error }, f func() error) error {
	if at.inTask {
		return f()
	}
	return interrupted(ctx, conn, f)
}

// interrupted calls f and has its wait for conn end when ctx is done.
func interrupted(ctx context.Context, conn interface{ SetDeadline(time.Time) error }, f func() error) error {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return f()
}

var libraries []*library

func add(l *library) { libraries = append(libraries, l) }
