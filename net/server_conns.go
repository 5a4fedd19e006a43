package net

import "slices"

// A member is a connection in a connSet.
type member interface {
	index() *int // where its index in the set is stored
	peerAddr() Addr
	drain() // the server stops: end once the current message is handled
	end()
}

// A connSet is the set of a server's connections, unordered. Adding and
// removing take O(1).
//
// Invariant: the member at all[i] has the index i.
type connSet struct{ all []member }

func (s *connSet) len() int { return len(s.all) }

func (s *connSet) copy() []member { return slices.Clone(s.all) }

func (s *connSet) add(m member) {
	*m.index() = len(s.all)
	s.all = append(s.all, m)
}

func (s *connSet) remove(m member) {
	i, last := *m.index(), len(s.all)-1
	s.all[i] = s.all[last]
	*s.all[i].index() = i
	s.all[last] = nil
	s.all = s.all[:last]
}

func (s *connSet) check() string {
	for i, m := range s.all {
		if *m.index() != i {
			return "set of connections: one has another's index"
		}
	}
	return ""
}
