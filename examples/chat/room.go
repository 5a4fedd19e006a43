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

func newRoom() *room { return &room{members: make(map[string]*member)} }

// visit is a connection's task. It suspends.
func (r *room) visit(ctx context.Context, c net.Conn) error { return visit(ctx, r, c) }

// A place is a room, or a hall.
type place interface {
	enter(ctx context.Context, m *member) (ok bool, err error) // not ok: the name is taken
	say(ctx context.Context, m *member, text string) error
	leave(ctx context.Context, m *member)
}

// visit serves a connection. It suspends.
func visit(ctx context.Context, p place, c net.Conn) error {
	in := bufio.NewScanner(c)
	in.Buffer(nil, maxLine)
	in.Split(wholeLines)
	m, err := ask(ctx, p, c, in)
	if err != nil {
		return err
	}
	defer p.leave(ctx, m)
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(m.write)
		for in.Scan() {
			if err := p.say(ctx, m, in.Text()); err != nil {
				return err
			}
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

// ask asks for a name until a member of that name is let in. It suspends.
func ask(ctx context.Context, p place, c net.Conn, in *bufio.Scanner) (*member, error) {
	question := "Your name?\n"
	for {
		if _, err := io.WriteString(c, question); err != nil {
			return nil, err
		}
		if !in.Scan() {
			return nil, cmp.Or(in.Err(), io.EOF)
		}
		name := strings.TrimSpace(in.Text())
		if !isName(name) {
			question = "A name is 1 to 20 letters and digits. Your name?\n"
			continue
		}
		m := newMember(name, c)
		if ok, err := p.enter(ctx, m); ok || err != nil {
			return m, err
		}
		question = "That name is taken. Your name?\n"
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

// enter lets a member in, if its name is free.
func (r *room) enter(_ context.Context, m *member) (bool, error) {
	if r.members[m.name] != nil {
		return false, nil
	}
	r.join(m) // the name is still free: there was no await since the look
	return true, nil
}

func (r *room) join(m *member) {
	r.add(m, r.names())
	r.tell(m, "* "+m.name+" has joined")
}

// add adds a member, which learns who is present.
func (r *room) add(m *member, present []string) {
	m.tell("* present: " + strings.Join(present, ", "))
	r.members[m.name] = m
}

func (r *room) say(_ context.Context, m *member, text string) error {
	r.tell(m, m.name+": "+text)
	return nil
}

func (r *room) leave(_ context.Context, m *member) {
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
