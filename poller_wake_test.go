package eddy

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// wakeReturns fails unless a wake ends the Wait well before its timeout.
func wakeReturns(t testing.TB, p *Poller) []Event {
	t.Helper()
	start := time.Now()
	events := next(t, p, patience)
	if time.Since(start) >= patience {
		t.Fatal("the wake was lost")
	}
	return events
}

// noWakeLeft polls the kernel directly, without Wait.
func noWakeLeft(t testing.TB, p *Poller) {
	t.Helper()
	n, err := p.kernel.poll(p.raw, 0)
	if err != nil || n != 0 && !repeats() {
		t.Fatalf("%d events are left, %v", n, err)
	}
	if _, woken := p.kernel.translate(p.raw[:n], nil); woken {
		t.Fatal("a wake is left")
	}
	if p.state.Load() != open {
		t.Fatalf("state %b, want only open", p.state.Load())
	}
}

func TestWakeBeforeWait(t *testing.T) {
	p := newPoller(t)
	for range 3 {
		if err := p.Wake(); err != nil {
			t.Fatal(err)
		}
		if events := wakeReturns(t, p); len(events) != 0 {
			t.Errorf("a wake made events %v", events)
		}
		noWakeLeft(t, p)
	}
}

func TestWakeEndsSleep(t *testing.T) {
	p := newPoller(t)
	for range 20 {
		// The delay makes it likely that Wait sleeps by then; the test is right
		// either way.
		time.AfterFunc(time.Millisecond, func() { p.Wake() })
		wakeReturns(t, p)
	}
}

func TestWakeSeenByPoll(t *testing.T) {
	p := newPoller(t)
	p.Wake()
	quiet(t, p)
	noWakeLeft(t, p)
}

func TestWakesCoalesce(t *testing.T) {
	p := newPoller(t)
	for range 100 {
		p.Wake()
	}
	if n, err := p.kernel.poll(p.raw, 0); n != 1 || err != nil {
		t.Fatalf("100 wakes made %d events, %v", n, err)
	}
	if events, woken := p.kernel.translate(p.raw[:1], nil); !woken || len(events) != 0 {
		t.Fatalf("got %v, want a wake", events)
	}
}

func TestWakeBesidesEvents(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	add(t, p, a, 1)
	p.Wake()
	if events := wakeReturns(t, p); len(events) != 1 || of(events, 1) != Writable {
		t.Errorf("events %v", events)
	}
	noWakeLeft(t, p)
}

// Memory written before Wake is visible after Wait: under -race this fails if
// it is not ordered.
func TestWakeOrdersMemory(t *testing.T) {
	p := newPoller(t)
	var plain int
	go func() {
		plain = 42
		p.Wake()
	}()
	wakeReturns(t, p)
	if plain != 42 {
		t.Errorf("read %d", plain)
	}
}

// Each goroutine posts, wakes, and goes on only when the loop has answered, so a
// single lost wake stops the test.
func TestNoWakeIsLost(t *testing.T) {
	const posters, rounds = 8, 1000
	p := newPoller(t)
	var mu sync.Mutex
	var posted []chan struct{}
	var done sync.WaitGroup
	for range posters {
		done.Go(func() {
			answer := make(chan struct{}, 1)
			for range rounds {
				mu.Lock()
				posted = append(posted, answer)
				mu.Unlock()
				if err := p.Wake(); err != nil {
					t.Error(err)
					return
				}
				<-answer
			}
		})
	}
	for answered := 0; answered < posters*rounds; {
		wakeReturns(t, p)
		mu.Lock()
		batch := posted
		posted = nil
		mu.Unlock()
		for _, answer := range batch {
			answer <- struct{}{}
		}
		answered += len(batch)
	}
	done.Wait()
}

// Close concurrently with many wakes. The next owners of the closed numbers
// must not be written to.
func TestCloseAgainstWakes(t *testing.T) {
	for range 50 {
		p := newPoller(t)
		var wakers sync.WaitGroup
		var started sync.WaitGroup
		for range 4 {
			started.Add(1)
			wakers.Go(func() {
				err := p.Wake()
				started.Done()
				for err == nil {
					runtime.Gosched()
					err = p.Wake()
				}
				if !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
			})
		}
		started.Wait()
		quiet(t, p)
		p.Close()
		a, b := pair(t)
		c, d := pair(t)
		wakers.Wait()
		for _, s := range []*desc{a, b, c, d} {
			if n := s.drain(); n != 0 {
				t.Fatalf("another file's descriptor got %d bytes", n)
			}
			s.close()
		}
	}
}

// The same race, in one forced order: the waker has decided to signal, and
// Close comes first.
func TestCloseOvertakesWake(t *testing.T) {
	p := newPoller(t)
	p.closing.Lock()
	result := make(chan error, 1)
	go func() { result <- p.Wake() }()
	for p.state.Load()&pending == 0 {
		runtime.Gosched() // until the waker has checked open
	}
	p.state.And(^open)
	p.closing.Unlock()
	if err := <-result; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Wake: %v", err)
	}
	p.state.Or(open) // the descriptors are still open, to be checked and closed
	if n, _ := p.kernel.poll(p.raw, 0); n != 0 {
		t.Error("it wrote to the wake descriptor after Close")
	}
}
