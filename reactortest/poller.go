package reactortest

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/eddyio/eddy"
)

// Wait returns the sockets that are ready. It also returns, perhaps with none, after any
// event: an event can ready a task without a socket.
func (sim *simulator) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if checking {
		if msg := sim.check(); msg != "" {
			return nil, errors.New("reactortest: broken: " + msg)
		}
	}
	if sim.runDue() || len(sim.notified) > 0 || timeout == 0 {
		return sim.report(), nil
	}
	underWay, possible := sim.external()
	if sim.strict {
		underWay, possible = 0, false
	}
	if underWay > 0 {
		<-sim.wakeup
		return nil, nil
	}
	select {
	case <-sim.wakeup:
		return nil, nil
	default:
	}
	next, any := sim.next(timeout)
	moved, err := sim.clock.move(next, any)
	switch {
	case err == nil && moved:
		sim.runDue()
	case err != nil && possible:
		<-sim.wakeup
		err = nil
	}
	return sim.report(), err
}

// report returns the events of the notified sockets and clears the list.
func (sim *simulator) report() []eddy.Event {
	sim.batch = sim.batch[:0]
	for i, s := range sim.notified {
		sim.notified[i] = nil
		s.notified = false
		if r := s.readiness(); s.polled && r != 0 {
			sim.batch = append(sim.batch, eddy.Event{Token: s.token, Ready: r})
		}
	}
	sim.notified = sim.notified[:0]
	return sim.batch
}

// Wake makes Wait return. Any goroutine may call it.
func (sim *simulator) Wake() error {
	select {
	case sim.wakeup <- struct{}{}:
	default:
	}
	return nil
}

func (sim *simulator) Close() error { return nil }

// Add registers a socket and notifies its present state.
func (sim *simulator) Add(fd int, token uint64) error {
	s, err := sim.file(fd)
	if err != nil {
		return err
	}
	if s.polled {
		return syscall.EEXIST
	}
	s.polled, s.token = true, token
	s.notify()
	return nil
}

func (sim *simulator) Remove(fd int) error {
	s, err := sim.file(fd)
	if err != nil {
		return err
	}
	s.polled = false
	return nil
}

// file returns the socket of a descriptor. A real descriptor is refused.
func (sim *simulator) file(fd int) (*socket, error) {
	i := fd - firstFD
	if i < 0 {
		sim.Refuse(fmt.Sprintf("file descriptor %d is a real one: the network is simulated", fd))
		return nil, fmt.Errorf("reactortest: file descriptor %d is a real one, and the network is simulated: %w", fd, syscall.EPERM)
	}
	if i >= len(sim.files) || sim.files[i] == nil {
		return nil, syscall.EBADF
	}
	return sim.files[i], nil
}
