package core

import (
	"testing"

	"github.com/eddyio/eddy/internal/testkit/virtual"
)

// A nil error of Post promises that the function is called, unless the loop has
// ended before.
func TestClosedInboxCallsWhatItTook(t *testing.T) {
	b := &inbox{poller: virtual.New(t)}
	called := 0
	again := func() {}
	put := func() bool { return b.put(&Message{Hook: HookFunc(again)}) }
	again = func() {
		if called++; !put() {
			called += 100
		}
	}
	put()
	put()
	b.close()
	if called != 202 || put() {
		t.Errorf("called %d", called)
	}
}
