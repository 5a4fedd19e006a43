//go:build linux && !kqueue_model && epoll_restless

package eddy

import (
	"testing"
	"time"
)

func tick() time.Duration { return 0 }

func repeats() bool { return true }

// It repeats reports, and only correct ones.
func TestRestless(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	add(t, p, a, 1)
	settle(t, p)
	again := 0
	for range 100 {
		for _, e := range next(t, p, 0) {
			again++
			if e.Token != 1 || e.Ready != Writable {
				t.Errorf("%+v", e)
			}
		}
	}
	if again < 20 {
		t.Errorf("repeated %d times in 100", again)
	}
}
