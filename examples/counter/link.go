package main

import (
	"bufio"
	"context"
	"io"
	"strings"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A link sends requests to a node: over a connection, made when needed, or
// directly to the node that owns the link. One task at a time uses it. An
// answer always belongs to the last request: after an error the connection is
// closed, and a late answer is lost with it.
type link struct {
	addr string
	self *node
	conn net.Conn
	in   *bufio.Reader
}

// patience is how long a node may take to answer.
const patience = 500 * time.Millisecond

func (l *link) connect(ctx context.Context) error {
	if l.conn != nil || l.self != nil {
		return nil
	}
	return reactor.Timeout(ctx, patience, func(ctx context.Context) (err error) {
		if l.conn, err = net.Dial(ctx, "tcp", l.addr); err == nil {
			l.in = bufio.NewReader(l.conn)
		}
		return err
	})
}

// call sends a request, a line, and returns the answer.
func (l *link) call(ctx context.Context, request string) (answer string, err error) {
	if l.self != nil {
		return l.self.answer(ctx, request)
	}
	if err := l.connect(ctx); err != nil {
		return "", err
	}
	err = reactor.Timeout(ctx, patience, func(ctx context.Context) error {
		if _, err := io.WriteString(l.conn, request+"\n"); err != nil {
			return err
		}
		answer, err = l.in.ReadString('\n')
		return err
	})
	if err != nil {
		l.close()
		return "", err // without a partial answer
	}
	return strings.TrimSpace(answer), nil
}

func (l *link) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}
