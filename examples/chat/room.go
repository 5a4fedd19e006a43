package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A room is those who are present.
//
// The map needs no lock, although every connection's task uses it: on one loop
// nothing else runs between two awaits. So a function that does not await sees
// the map as nobody else can change it. What would break this is an await in
// the wrong place, and conn.Write is one: written straight to the connections
// inside the loop of [room.tell], a line would let others join and leave in the
// middle of the iteration, and the slowest reader would hold up the whole room.
// Therefore no method of room or member suspends, but for those that say so.
type room struct{ members map[string]*member }

// visit is a connection's task. It suspends.
func (r *room) visit(ctx context.Context, c net.Conn) error {
	in := bufio.NewScanner(c)
	in.Buffer(nil, maxLine)
	in.Split(wholeLines)
	name, err := r.ask(c, in)
	if err != nil {
		return err
	}
	m := newMember(name, c)
	r.join(m) // nobody has taken the name since ask looked: there was no await
	defer r.leave(m)
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(m.write)
		for in.Scan() {
			r.tell(m, name+": "+in.Text())
			// One line a turn: the writers get to run, and the other speakers too.
			if err := reactor.Yield(ctx); err != nil {
				return err
			}
		}
		return cmp.Or(in.Err(), io.EOF) // an error, so that the group stops the writer
	})
}

// maxLine bounds what a member may say at once, in bytes.
const maxLine = 4096

// wholeLines is bufio.ScanLines, but for a last line without an end: it is half of
// what was said if the connection has failed.
func wholeLines(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if atEOF && bytes.IndexByte(data, '\n') < 0 {
		return len(data), nil, nil
	}
	return bufio.ScanLines(data, atEOF)
}

// ask asks for a name until it gets one that will do. It suspends.
func (r *room) ask(c net.Conn, in *bufio.Scanner) (string, error) {
	question := "Your name?\n"
	for {
		if _, err := io.WriteString(c, question); err != nil {
			return "", err
		}
		if !in.Scan() {
			return "", cmp.Or(in.Err(), io.EOF)
		}
		switch name := strings.TrimSpace(in.Text()); {
		case !isName(name):
			question = "A name is 1 to 20 letters and digits. Your name?\n"
		case r.members[name] != nil:
			question = "That name is taken. Your name?\n"
		default:
			return name, nil
		}
	}
}

func isName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 20
}

func (r *room) join(m *member) {
	m.tell("* present: " + strings.Join(r.names(), ", "))
	r.members[m.name] = m
	r.tell(m, "* "+m.name+" has joined")
}

func (r *room) leave(m *member) {
	delete(r.members, m.name)
	r.tell(m, "* "+m.name+" has left")
}

// tell passes a line on to all but the one it comes from.
func (r *room) tell(from *member, line string) {
	for _, name := range r.names() {
		if m := r.members[name]; m != from {
			m.tell(line)
		}
	}
}

// names returns the members' names in order: that of a map's iteration would
// make each run of the program another one.
func (r *room) names() []string { return slices.Sorted(maps.Keys(r.members)) }
