package core

import (
	"testing"
)

func TestScopeCheckSeesWhatIsWrong(t *testing.T) {
	l := &Loop{}
	for name, spoil := range map[string]func(s, a, b *Scope){
		"parent": func(s, a, b *Scope) { b.up = a },
		"links":  func(s, a, b *Scope) { b.prev = b },
		"reason": func(s, a, b *Scope) { s.reason.Store(reasonCanceled) },
		"guest":  func(s, a, b *Scope) { s.more().guests.add(&Worker{}) },
		"below":  func(s, a, b *Scope) { a.more().guests.add(&Worker{}) },
	} {
		var s, a, b Scope
		s.loop = l
		for _, k := range []*Scope{&a, &b} {
			k.loop = l
			k.link(&s)
		}
		if msg := s.check(); msg != "" {
			t.Fatal(msg)
		}
		spoil(&s, &a, &b)
		if s.check() == "" {
			t.Errorf("%s: not noticed", name)
		}
	}
}
