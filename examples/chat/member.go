package main

import (
	"context"
	"io"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A member is a connection that has given its name. What others say goes into
// its queue, which a task of its own writes out, so that no member waits for a
// member that reads slowly.
type member struct {
	name  string
	conn  net.Conn
	lines reactor.Queue[string]
}

func newMember(name string, c net.Conn) *member {
	return &member{name: name, conn: c, lines: reactor.Queue[string]{Max: maxQueue}}
}

// maxQueue bounds a member's queue, in lines. It must be more than can be said
// in one turn of the loop, which is a line of each member and news of some.
const maxQueue = 1024

// tell queues a line. A member that has fallen too far behind is dropped: its
// reads and writes fail from now on, so that its task ends.
func (m *member) tell(line string) {
	if err := m.lines.TryPut(line + "\n"); err != nil {
		m.conn.Close()
	}
}

// write writes queued lines until ctx is done or the connection fails. It
// suspends.
func (m *member) write(ctx context.Context) error {
	for {
		line, err := m.lines.Get(ctx)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(m.conn, line); err != nil {
			return err
		}
	}
}
