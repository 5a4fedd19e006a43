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

// A room holds the members that are present.
//
// The map needs no lock, although every connection's task uses it: on one loop
// nothing else runs between two awaits. So while a function does not await, no
// other task can change the map. An await in the wrong place would break this,
// and conn.Write is one: if [room.tell] wrote directly to the connections in
// its loop, others could join and leave in the middle of the iteration, and the
// slowest reader would delay the whole room. Therefore no method of room or
// member suspends unless its comment says so.
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
	r.join(m) // the name is still free: there was no await since ask checked it
	defer r.leave(m)
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(m.write)
		for in.Scan() {
			r.tell(m, name+": "+in.Text())
			// One line per turn, so that the writers and other speakers run
			// too.
			if err := reactor.Yield(ctx); err != nil {
				return err
			}
		}
		return cmp.Or(in.Err(), io.EOF) // an error, so that the group stops the writer
	})
}

// maxLine is the longest line, in bytes.
const maxLine = 4096

// wholeLines is bufio.ScanLines without a last line that has no end: if the
// connection has failed, it may be incomplete.
func wholeLines(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if atEOF && bytes.IndexByte(data, '\n') < 0 {
		return len(data), nil, nil
	}
	return bufio.ScanLines(data, atEOF)
}

// ask asks for a name until it gets a valid one. It suspends.
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

// tell passes a line to all members but the one it comes from.
func (r *room) tell(from *member, line string) {
	for _, name := range r.names() {
		if m := r.members[name]; m != from {
			m.tell(line)
		}
	}
}

// names returns the members' names, sorted: the order of a map's iteration
// would differ from run to run.
func (r *room) names() []string { return slices.Sorted(maps.Keys(r.members)) }
