package core

import (
	"testing"

	"github.com/eddyio/eddy/internal/testkit/virtual"
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

// A nil error of Post promises that the function is called, unless the loop has
// ended before.
func TestClosedInboxCallsWhatItTook(t *testing.T) {
	b := &inbox{poller: virtual.New(t)}
	called := 0
	again := func() {}
	again = func() {
		if called++; !b.put(again) {
			called += 100
		}
	}
	b.put(again)
	b.put(again)
	b.close()
	if called != 202 || b.put(again) {
		t.Errorf("called %d", called)
	}
}

// The key is always the same, if there is one.
func TestCancelKeyIsFound(t *testing.T) {
	if cancelKey != findCancelKey() {
		t.Error("package context finds no context of its own behind Value: see derive.go")
	}
}
