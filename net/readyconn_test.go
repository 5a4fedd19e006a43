package net

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// counting counts reads and writes.
type counting struct {
	sockets.System
	reads, writes int
}

func (k *counting) Read(fd int, p []byte) (int, syscall.Errno) {
	k.reads++
	return k.System.Read(fd, p)
}

func (k *counting) Write(fd int, p []byte) (int, syscall.Errno) {
	k.writes++
	return k.System.Write(fd, p)
}

// TestReadinessIsRemembered: readiness is not queried again. A TCP read that
// does not fill its buffer means that there is no more, if urgent data is
// reported; on a Unix socket it does not, so one more read is needed, which
// would block.
func TestReadinessIsRemembered(t *testing.T) {
	for network, want := range map[string]int{"tcp": 1, "unix": 2} {
		k := &counting{}
		if !shortReadDrains(k) {
			want = 2
		}
		runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
			c, p := withStd(t, ctx, network)
			reading := reactor.Go(ctx, func(context.Context) error {
				for {
					if _, err := c.Read(make([]byte, 8)); err != nil {
						return err
					}
				}
			})
			p.Write([]byte("x"))
			for range 200 {
				reactor.Yield(ctx)
			}
			if k.reads != want {
				t.Errorf("%s: %d reads of one byte, want %d", network, k.reads, want)
			}
			writing := reactor.Go(ctx, func(context.Context) error { _, err := c.Write(make([]byte, 64<<20)); return err })
			parked(ctx)
			writes := k.writes
			for range 200 {
				reactor.Yield(ctx)
			}
			if k.writes > writes+2 {
				t.Errorf("%s: %d writes to a full socket", network, k.writes-writes)
			}
			c.Close()
			reading.Wait(ctx)
			writing.Wait(ctx)
		})
	}
}

// TestPassedDeadlineStarvesNobody: a task that keeps reading after its deadline
// gets the same error each time, but others run, and can move the deadline.
func TestPassedDeadlineStarvesNobody(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		p.Write([]byte("x"))
		c.SetReadDeadline(past())
		reactor.Go(ctx, func(context.Context) error { return c.SetReadDeadline(time.Time{}) })
		for range 1_000_000 {
			n, err := c.Read(make([]byte, 1))
			if n == 1 {
				return
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
		t.Error("no other task ran in a million reads")
	})
}

// stale is a poller that reports at each turn all fds that were ever
// registered, with their tokens, as a kernel may do for a duplicated file
// description.
type stale struct {
	*eddy.Poller
	removed []uint64
	now     map[int]uint64
	events  []eddy.Event
}

func (p *stale) Add(fd int, token uint64) error {
	p.now[fd] = token
	return p.Poller.Add(fd, token)
}

func (p *stale) Remove(fd int) error {
	p.removed = append(p.removed, p.now[fd])
	return p.Poller.Remove(fd)
}

func (p *stale) Wait(timeout time.Duration) ([]eddy.Event, error) {
	events, err := p.Poller.Wait(timeout)
	p.events = append(p.events[:0], events...)
	for _, token := range p.removed {
		p.events = append(p.events, eddy.Event{Token: token, Ready: eddy.Readable | eddy.Writable})
	}
	return p.events, err
}

// TestFaultStaleEvent: an event for a closed fd does not wake waiters for the
// new owner of its number and slot.
func TestFaultStaleEvent(t *testing.T) {
	k := &counting{}
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	o := reactor.Options{Sockets: k, Poller: &stale{Poller: p, now: map[int]uint64{}}}
	runWith(t, o, func(ctx context.Context) {
		for range 3 {
			c, _ := withStd(t, ctx, "tcp")
			c.Close()
		}
		c, peer := withStd(t, ctx, "tcp")
		reading := reactor.Go(ctx, func(context.Context) error { _, err := c.Read(make([]byte, 1)); return err })
		for range 100 {
			reactor.Yield(ctx)
		}
		if k.reads != 0 {
			t.Errorf("woken %d times by others' events", k.reads)
		}
		peer.Write([]byte("x"))
		if err := reading.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}
