package faulty

import (
	"testing"
	"time"

	"github.com/eddyio/eddy"
)

// A Poller reports fds as ready that have not changed: those given to Again,
// and others at random. It repeats events, also when their fd may be closed by
// then, and changes their order.
type Poller struct {
	*eddy.Poller
	choose func(n int) int
	fds    []registration
	owed   []int
	events []eddy.Event
	old    eddy.Event // an event of an earlier batch
	counts map[string]int
}

type registration struct {
	fd    int
	token uint64
}

// NewPoller returns the kernel's poller with these faults. The loop closes it.
func NewPoller(t testing.TB, choose func(n int) int) *Poller {
	t.Helper()
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	return &Poller{Poller: p, choose: choose, counts: make(map[string]int)}
}

// Again makes the next Wait report fd as readable and writable.
func (p *Poller) Again(fd int) { p.owed = append(p.owed, fd) }

// AgainAll makes the next Wait report all fds as readable and writable.
func (p *Poller) AgainAll() {
	for _, r := range p.fds {
		p.Again(r.fd)
	}
}

// Add implements reactor.Poller.
func (p *Poller) Add(fd int, token uint64) error {
	err := p.Poller.Add(fd, token)
	if err == nil {
		p.fds = append(p.fds, registration{fd, token})
	}
	return err
}

// Remove implements reactor.Poller.
func (p *Poller) Remove(fd int) error {
	for i, r := range p.fds {
		if r.fd == fd {
			p.fds = append(p.fds[:i], p.fds[i+1:]...)
			break
		}
	}
	return p.Poller.Remove(fd)
}

// Wait implements reactor.Poller.
func (p *Poller) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if len(p.owed) > 0 {
		timeout = 0
	}
	events, err := p.Poller.Wait(timeout)
	p.events = append(p.events[:0], events...)
	for _, fd := range p.owed {
		for _, r := range p.fds {
			if r.fd == fd {
				p.report(r)
			}
		}
	}
	p.owed = p.owed[:0]
	if len(events) > 0 && len(p.fds) > 0 && p.choose(4) == 1 {
		p.counts["spurious readiness"]++
		p.report(p.fds[p.choose(len(p.fds))])
	}
	p.disorder()
	return p.events, err
}

// disorder repeats and reorders events of the batch, as a kernel may.
func (p *Poller) disorder() {
	if len(p.events) == 0 {
		return
	}
	if p.choose(4) == 1 {
		p.counts["an event twice"]++
		p.events = append(p.events, p.events[p.choose(len(p.events))])
	}
	if p.old.Ready != 0 && p.choose(4) == 1 {
		p.counts["an event of the past"]++
		p.events = append(p.events, p.old)
	}
	if p.old.Ready == 0 || p.choose(4) == 1 {
		p.old = p.events[0]
	}
	if i := p.choose(len(p.events)); i > 0 {
		p.events[0], p.events[i] = p.events[i], p.events[0]
	}
}

func (p *Poller) report(r registration) {
	p.events = append(p.events, eddy.Event{Token: r.token, Ready: eddy.Readable | eddy.Writable})
}
