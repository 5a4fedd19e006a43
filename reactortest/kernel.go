package reactortest

import (
	"slices"
)

// A kernel is a host's kernel from one power-on to the next. It keeps the ports, which
// may stay taken after a process has ended.
//
// Invariants: bound holds each socket of the host that has a port, under that port, in
// the order in which they were bound, except for accepted ones. A connection stays in
// bound as long as it holds its port, which may be past the close of its socket.
type kernel struct {
	up            bool
	bound         map[port][]*socket
	lastEphemeral uint16 // the last ephemeral port that was given
}

type port struct {
	typ    int
	number uint16
}

func newKernel() *kernel {
	return &kernel{up: true, bound: make(map[port][]*socket), lastEphemeral: lastPort}
}

// holders returns the sockets that hold a port now.
func (k *kernel) holders(p port) []*socket {
	all := k.bound[p]
	if slices.ContainsFunc(all, (*socket).expired) {
		all = slices.DeleteFunc(slices.Clone(all), (*socket).expired)
		k.keep(p, all)
	}
	return all
}

func (k *kernel) keep(p port, all []*socket) {
	if k.bound[p] = all; len(all) == 0 {
		delete(k.bound, p)
	}
}

func (k *kernel) add(s *socket) {
	p := port{s.typ, s.local.Port()}
	k.bound[p] = append(k.bound[p], s)
}

func (k *kernel) remove(s *socket) {
	p := port{s.typ, s.local.Port()}
	if i := slices.Index(k.bound[p], s); i >= 0 {
		k.keep(p, slices.Delete(slices.Clone(k.bound[p]), i, i+1))
	}
}
