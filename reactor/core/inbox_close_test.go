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
