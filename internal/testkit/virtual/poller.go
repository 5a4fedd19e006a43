// Package virtual lets a test of a loop control its time. It has a clock and
// poller for reactor's Options that never sleep and do not use the kernel.
package virtual

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
)

// A Poller is a Clock and a Poller in virtual time. When the loop would sleep
// until a timer, the clock jumps there. When it would sleep forever, Wait
// blocks until a Wake, and fails the test if none comes.
type Poller struct {
	Time   atomic.Int64 // in nanoseconds
	Drift  int64        // how far each call of Now moves the clock
	Wakes  atomic.Int64
	Waits  atomic.Int64
	Closed atomic.Bool
	Err    error         // what Wait returns, once set
	Check  func() string // called at each Wait, once set; a nonempty result fails the test
	FDs    map[int]uint64

	t      testing.TB
	wakeup chan struct{} // buffers one wake that no Wait has seen
	events []eddy.Event
}

// New returns a Poller whose clock stands at 0.
func New(t testing.TB) *Poller {
	return &Poller{t: t, wakeup: make(chan struct{}, 1), FDs: make(map[int]uint64)}
}

// Now implements reactor.Clock.
func (p *Poller) Now() time.Duration { return time.Duration(p.Time.Add(p.Drift)) }

// Advance moves the clock, as a long computation would.
func (p *Poller) Advance(d time.Duration) { p.Time.Add(int64(d)) }

// Add implements reactor.Poller. The fd need not be open.
func (p *Poller) Add(fd int, token uint64) error {
	if _, ok := p.FDs[fd]; ok {
		return os.ErrExist
	}
	p.FDs[fd] = token
	return nil
}

// Remove implements reactor.Poller.
func (p *Poller) Remove(fd int) error {
	if _, ok := p.FDs[fd]; !ok {
		return os.ErrNotExist
	}
	delete(p.FDs, fd)
	return nil
}

// Tell makes the next Wait report readiness of fd.
func (p *Poller) Tell(fd int, r eddy.Readiness) {
	p.events = append(p.events, eddy.Event{Token: p.FDs[fd], Ready: r})
}

// Wait implements reactor.Poller.
func (p *Poller) Wait(timeout time.Duration) ([]eddy.Event, error) {
	p.Waits.Add(1)
	if p.Check != nil {
		if msg := p.Check(); msg != "" {
			p.t.Error("in Wait: " + msg)
		}
	}
	if p.Err != nil {
		return nil, p.Err
	}
	events := p.events
	p.events = nil
	if len(events) > 0 {
		return events, nil
	}
	select {
	case <-p.wakeup:
		return nil, nil
	default:
	}
	if timeout > 0 {
		p.Advance(timeout)
	}
	if timeout < 0 {
		select {
		case <-p.wakeup:
		case <-time.After(testkit.Patience):
			p.t.Error("the loop sleeps forever")
			return nil, errors.New("asleep forever")
		}
	}
	return nil, nil
}

// Wake implements reactor.Poller.
func (p *Poller) Wake() error {
	p.Wakes.Add(1)
	select {
	case p.wakeup <- struct{}{}:
	default:
	}
	return nil
}

// Close implements reactor.Poller.
func (p *Poller) Close() error {
	p.Closed.Store(true)
	return nil
}
