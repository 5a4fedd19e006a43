package net

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
)

// Faults of file descriptors and of waits for them.

// placing gives the next socket a number that the test chooses.
type placing struct {
	counting
	want int
}

func (k *placing) Socket(family, typ, proto int) (int, error) {
	fd, err := k.System.Socket(family, typ, proto)
	if err != nil || k.want == 0 {
		return fd, err
	}
	want := k.want
	k.want = 0
	if fd == want {
		return fd, nil
	}
	if err := unix.Dup2(fd, want); err != nil {
		return -1, err
	}
	unix.CloseOnExec(want)
	return want, unix.Close(fd)
}

// delaying returns, besides the kernel's events, those of a turn ago.
type delaying struct {
	*eddy.Poller
	events, before []eddy.Event
}

func (p *delaying) Wait(timeout time.Duration) ([]eddy.Event, error) {
	events, err := p.Poller.Wait(timeout)
	p.events = append(append(p.events[:0], events...), p.before...)
	p.before = append(p.before[:0], events...)
	return p.events, err
}

// TestFaultReusedInOneBatch: two connections become ready at once. The task of the
// first one closes the second, and makes a third with the number of that. The
// second's event, in the same batch and once more in the next, is not the third's.
func TestFaultReusedInOneBatch(t *testing.T) {
	poller, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	k := &placing{}
	runWith(t, reactor.Options{Sockets: k, Poller: &delaying{Poller: poller}}, func(ctx context.Context) {
		first, p1 := withStd(t, ctx, "tcp")
		second, p2 := withStd(t, ctx, "tcp")
		silent, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		number := second.(*TCPConn).fd.Sysfd()
		var third *TCPConn
		var reading *reactor.Task[struct{}]
		doing := reactor.Go(ctx, func(ctx context.Context) error {
			if _, err := first.Read(make([]byte, 1)); err != nil {
				return err
			}
			if err := second.Close(); err != nil {
				return err
			}
			k.want = number
			c, err := Dial(ctx, "tcp", silent.Addr().String())
			if err != nil {
				return err
			}
			third = c.(*TCPConn)
			k.reads = 0
			reading = reactor.Go(ctx, func(context.Context) error { _, err := third.Read(make([]byte, 1)); return err })
			return nil
		})
		waiting := reactor.Go(ctx, func(context.Context) error { _, err := second.Read(make([]byte, 1)); return err })
		parked(ctx)
		p1.Write([]byte("1"))
		p2.Write([]byte("2"))
		if err := doing.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		if got := third.fd.Sysfd(); got != number {
			t.Fatalf("the third connection is fd %d, want %d", got, number)
		}
		// The second's reader was woken by its data, but runs too late.
		if err := waiting.Wait(ctx); !errors.Is(err, ErrClosed) {
			t.Error("the second's reader:", err)
		}
		for range 20 {
			reactor.Yield(ctx)
		}
		if k.reads != 0 || reading.Finished() {
			t.Errorf("the third was woken %d times by the second's event", k.reads)
		}
		third.Close()
		if err := reading.Wait(ctx); !errors.Is(err, ErrClosed) {
			t.Error("the third's reader:", err)
		}
		silent.Close()
	})
}

// recording keeps the tokens of all events.
type recording struct {
	*eddy.Poller
	tokens map[int]uint64 // by fd
	seen   map[uint64]int
	waits  int
}

func (p *recording) Add(fd int, token uint64) error {
	p.tokens[fd] = token
	return p.Poller.Add(fd, token)
}

func (p *recording) Wait(timeout time.Duration) ([]eddy.Event, error) {
	p.waits++
	events, err := p.Poller.Wait(timeout)
	for _, e := range events {
		p.seen[e.Token]++
	}
	return events, err
}

func record(t *testing.T) *recording {
	t.Helper()
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	return &recording{Poller: p, tokens: map[int]uint64{}, seen: map[uint64]int{}}
}

// TestFaultDuplicatedDescription: a duplicate, such as a child process has, keeps the
// kernel's registration alive. So a Close must remove it, or the kernel reports
// events forever that no task waits for.
func TestFaultDuplicatedDescription(t *testing.T) {
	p := record(t)
	runWith(t, reactor.Options{Poller: p}, func(ctx context.Context) {
		bystander, err := Listen(ctx, "tcp", "127.0.0.1:0") // or the loop would have nothing to ask the kernel about
		if err != nil {
			t.Fatal(err)
		}
		defer bystander.Close()
		c, peer := withStd(t, ctx, "tcp")
		fd := c.(*TCPConn).fd.Sysfd()
		duplicate, err := unix.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(duplicate)
		token := p.tokens[fd]
		c.Close()
		clear(p.seen)
		for range 5 {
			if _, err := peer.Write([]byte("to the duplicate")); err != nil {
				t.Fatal(err) // it is open
			}
			reactor.Yield(ctx)
		}
		if n := p.seen[token]; n != 0 {
			t.Errorf("%d events of a closed connection", n)
		}
	})
}

// TestFaultNothingSpins: readiness that no task waits for costs nothing: unread
// data, connections that are not accepted, a peer that is gone, a reader that
// was cancelled. (In a level-triggered loop each of them would cause turn after
// turn.)
func TestFaultNothingSpins(t *testing.T) {
	p := record(t)
	runWith(t, reactor.Options{Poller: p}, func(ctx context.Context) {
		unread, p1 := withStd(t, ctx, "tcp")
		p1.Write(make([]byte, 1000))
		gone, p2 := withStd(t, ctx, "tcp")
		p2.Close()
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		left, err := Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		canceled, p3 := withStd(t, ctx, "tcp")
		reading := reactor.Go(ctx, func(context.Context) error {
			b := make([]byte, 1)
			for range 10 { // it takes a while to understand
				if _, err := canceled.Read(b); err == nil {
					return errors.New("a cancelled read has read")
				}
			}
			return nil
		})
		parked(ctx)
		reading.Cancel(nil)
		p3.Write([]byte("too late"))
		if err := reading.Wait(ctx); err != nil {
			t.Error(err)
		}
		parked(ctx)
		before := p.waits
		reactor.Sleep(ctx, 30*time.Millisecond) // a span to count in
		if n := p.waits - before; n > 10 {
			t.Errorf("%d turns in which nothing was to be done", n)
		}
		for _, c := range []interface{ Close() error }{unread, gone, ln, left, canceled} {
			c.Close()
		}
	})
}

// TestFaultWakeAndCancel: a reader's data, its cancellation, its deadline and a
// Close come in the same turn or in the next, in every order. It is woken once,
// by one of them; a byte that it does not get is left for the next reader.
func TestFaultWakeAndCancel(t *testing.T) {
	orders := permutations([]string{"data", "cancel", "deadline", "close"})
	orders = append(orders, permutations([]string{"data", "cancel", "deadline"})...)
	run(t, func(ctx context.Context) {
		for _, order := range orders {
			for turns := range 1 << (len(order) - 1) { // a bit says whether a turn lies between two
				if err := contend(t, ctx, order, turns); err != nil {
					t.Errorf("%v, turns %b: %v", order, turns, err)
				}
			}
		}
	})
}

func contend(t *testing.T, ctx context.Context, order []string, turns int) error {
	c, p := withStd(t, ctx, "tcp")
	defer p.Close()
	defer c.Close()
	b := make([]byte, 2)
	results, n := 0, 0
	reading := reactor.Go(ctx, func(context.Context) (err error) {
		n, err = c.Read(b)
		results++
		return err
	})
	parked(ctx)
	closed := false
	for i, what := range order {
		switch what {
		case "data":
			p.Write([]byte("x"))
		case "cancel":
			reading.Cancel(nil)
		case "deadline":
			c.SetReadDeadline(past())
		case "close":
			c.Close()
			closed = true
		}
		if turns>>i&1 == 1 {
			reactor.Yield(ctx)
		}
	}
	err := reading.Wait(context.WithoutCancel(ctx))
	switch {
	case results != 1:
		return fmt.Errorf("%d results", results)
	case err == nil:
		if n != 1 || b[0] != 'x' {
			return fmt.Errorf("read %d bytes", n)
		}
		return nil
	case n != 0:
		return fmt.Errorf("%d bytes with %w", n, err)
	case !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, ErrClosed):
		return err
	case closed:
		return nil
	}
	c.SetReadDeadline(time.Time{})
	if n, err := c.Read(b); n != 1 || b[0] != 'x' || err != nil {
		return fmt.Errorf("the byte is lost: %d, %w", n, err)
	}
	return nil
}

func permutations(all []string) (orders [][]string) {
	if len(all) == 0 {
		return [][]string{nil}
	}
	for i, first := range all {
		var rest []string
		rest = append(append(rest, all[:i]...), all[i+1:]...)
		for _, order := range permutations(rest) {
			orders = append(orders, append([]string{first}, order...))
		}
	}
	return orders
}

// TestFaultHerd: ten thousand timers are due at once, and ten thousand tasks
// wake; a connection is served meanwhile, not after.
func TestFaultHerd(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		const herd = 10_000
		when := time.Now().Add(20 * time.Millisecond)
		done := 0
		var tasks []*reactor.Task[struct{}]
		for range herd {
			tasks = append(tasks, reactor.Go(ctx, func(ctx context.Context) error {
				reactor.Sleep(ctx, time.Until(when))
				for range 3 {
					reactor.Yield(ctx)
				}
				done++
				return nil
			}))
		}
		heard := -1
		reading := reactor.Go(ctx, func(context.Context) error {
			_, err := c.Read(make([]byte, 1))
			heard = done
			return err
		})
		reactor.Go(ctx, func(ctx context.Context) error {
			reactor.Sleep(ctx, time.Until(when)) // the last of the herd
			p.Write([]byte("x"))
			return nil
		})
		if err := reading.Wait(ctx); err != nil {
			t.Error(err)
		}
		if heard == herd {
			t.Error("the connection was served after the herd")
		}
		for _, task := range tasks {
			task.Wait(ctx)
		}
		if done != herd {
			t.Errorf("%d of %d woke", done, herd)
		}
		c.Close()
	})
}
