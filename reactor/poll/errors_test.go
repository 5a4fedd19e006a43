package poll_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/poll"
	"github.com/eddyio/eddy/sockets"
)

func TestMain(m *testing.M) {
	testkit.Settle()
	os.Exit(m.Run())
}

// An operation is one of an FD's that may wait.
type operation struct {
	name  string
	write bool
	do    func(f, other *poll.FD) error
}

var operations = []operation{
	{"Read", false, func(f, _ *poll.FD) error { _, err := f.Read(make([]byte, 1)); return err }},
	{"ReadMsg", false, func(f, _ *poll.FD) error {
		_, err := f.ReadMsg(new([1]sockets.Message), make([]byte, 1), nil, false, "recvmsg")
		return err
	}},
	{"Copy from", false, func(f, other *poll.FD) error { return copied(poll.Copy(other, f, 1<<20)) }},
	{"Write", true, func(f, _ *poll.FD) error { _, err := f.Write(make([]byte, 1)); return err }},
	{"Writev", true, func(f, _ *poll.FD) error {
		_, err := f.Writev(&[][]byte{make([]byte, 1), make([]byte, 1)})
		return err
	}},
	{"WriteMsg", true, func(f, _ *poll.FD) error {
		_, err := f.WriteMsg(new([1]sockets.Message), sockets.Message{Data: make([]byte, 1)}, "sendmsg")
		return err
	}},
	{"Copy to", true, func(f, other *poll.FD) error { return copied(poll.Copy(f, other, 1<<20)) }},
}

func copied(_ int64, failed *poll.CopyError) error {
	if failed == nil {
		return nil
	}
	return failed.Err
}

// A place is a caller of an operation: it calls do, and waits for it in a task.
type place struct {
	name string
	call func(ctx context.Context, do func() error) error
}

var places = []place{
	{"task", func(ctx context.Context, do func() error) error { return do() }},
	{"goroutine", func(ctx context.Context, do func() error) error {
		_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, do() })
		return err
	}},
}

// behind are the places of a Write that has the lock already; nobody's is nil.
func (op operation) behind() []*place {
	if !op.write {
		return []*place{nil}
	}
	return []*place{nil, &places[0], &places[1]}
}

// writes begins a Write that waits with the lock, unless at is nil.
func (s *scene) writes(ctx context.Context, at *place) {
	if at == nil {
		return
	}
	s.first = reactor.Go(ctx, func(ctx context.Context) error {
		at.call(ctx, func() error { _, err := s.f.Write(make([]byte, 1)); return err })
		return nil
	})
	for range 10 { // mostly it waits by then
		reactor.Yield(ctx)
	}
}

func (at *place) String() string {
	if at == nil {
		return "nobody"
	}
	return "a " + at.name
}

// A scene is an FD whose operation would wait: there is nothing to read, and no room to
// write. Its other FD has much to read, and room.
type scene struct {
	f, other    poll.FD
	peer, third int // their peers' descriptors
	first       *reactor.Task[struct{}]
}

func open(t *testing.T, ctx context.Context, f *poll.FD) (peer int) {
	t.Helper()
	kind := poll.KindOf(sockets.System{})
	a, b := testkit.SocketPair(t)
	if err := f.Open(ctx, a, &kind); err != nil {
		t.Fatal(err)
	}
	return b
}

func newScene(t *testing.T, ctx context.Context) *scene {
	s := new(scene)
	s.peer, s.third = open(t, ctx, &s.f), open(t, ctx, &s.other)
	fill(s.f.Sysfd())
	unix.Write(s.third, make([]byte, 1000))
	return s
}

// fill writes until there is no more room.
func fill(fd int) {
	for p := make([]byte, 1<<16); ; {
		if _, err := unix.Write(fd, p); err != nil {
			if len(p) == 1 {
				return
			}
			p = p[:1]
		}
	}
}

func (s *scene) end(ctx context.Context) {
	s.f.Close()
	s.other.Close()
	if s.first != nil {
		s.first.Wait(ctx)
	}
	for _, fd := range []int{s.peer, s.third} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// A reason is why an operation that would wait ends.
type reason struct {
	name  string
	early func(s *scene) // before the operation begins
	late  func(s *scene) // while it waits, or before
	want  func(op operation, err error) bool
}

func is(target error) func(operation, error) bool {
	return func(_ operation, err error) bool { return errors.Is(err, target) }
}

func (s *scene) setDeadlines(t time.Time) {
	s.f.SetReadDeadline(t)
	s.f.SetWriteDeadline(t)
}

var reasons = []reason{
	{"closed", func(s *scene) { s.f.Close() }, nil, is(os.ErrClosed)},
	{"closed meanwhile", nil, func(s *scene) { s.f.Close() }, is(os.ErrClosed)},
	{"late", func(s *scene) { s.setDeadlines(time.Unix(1, 0)) }, nil, is(os.ErrDeadlineExceeded)},
	{"late meanwhile", nil, func(s *scene) { s.setDeadlines(time.Now().Add(time.Millisecond)) }, is(os.ErrDeadlineExceeded)},
	{"a deadline comes nearer", func(s *scene) { s.setDeadlines(time.Now().Add(time.Hour)) },
		func(s *scene) { s.setDeadlines(time.Now()) }, is(os.ErrDeadlineExceeded)},
	{"the peer is gone", func(s *scene) { s.leave() }, nil, ended},
	{"the peer goes", nil, func(s *scene) { s.leave() }, ended},
}

// leave closes the peer's descriptor, which has read everything: to close one with data
// that was not read resets the connection.
func (s *scene) leave() {
	for p := make([]byte, 1<<16); ; {
		if n, err := unix.Read(s.peer, p); n <= 0 || err != nil {
			break
		}
	}
	unix.Close(s.peer)
	unix.Close(s.third) // a Copy to f that has found room must not wait for more to copy
	s.peer, s.third = -1, -1
}

func ended(op operation, err error) bool {
	switch {
	case op.write:
		// The bytes that were written when the peer made room are lost with it.
		return err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
	case op.name == "Copy from":
		return err == nil
	}
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// Every operation ends for every reason, with the same error, whoever calls it.
func TestEveryOperationEnds(t *testing.T) {
	for _, op := range operations {
		for _, at := range places {
			for _, why := range reasons {
				for _, first := range op.behind() {
					t.Run(fmt.Sprintf("%s/%s/%s/behind %v", op.name, at.name, why.name, first), func(t *testing.T) {
						onLoop(t, func(ctx context.Context) error {
							if err := endedFor(t, ctx, op, at, why, first); !why.want(op, err) {
								t.Errorf("%v", err)
							}
							return nil
						})
					})
				}
			}
		}
	}
}

// endedFor returns the error of an operation that ends for a reason.
func endedFor(t *testing.T, ctx context.Context, op operation, at place, why reason, first *place) error {
	s := newScene(t, ctx)
	defer s.end(ctx)
	s.writes(ctx, first)
	if why.early != nil {
		why.early(s)
	}
	call := reactor.Go(ctx, func(ctx context.Context) error {
		return at.call(ctx, func() error { return op.do(&s.f, &s.other) })
	})
	if why.late != nil {
		for range 10 { // mostly it waits by then
			reactor.Yield(ctx)
		}
		why.late(s)
	}
	return call.Wait(ctx)
}

// A task's operation ends with its scope, and moves nothing then.
func TestEveryOperationIsCancelled(t *testing.T) {
	for _, op := range operations {
		for _, early := range []bool{true, false} {
			for _, first := range op.behind() {
				t.Run(fmt.Sprintf("%s/early %v/behind %v", op.name, early, first), func(t *testing.T) {
					onLoop(t, func(ctx context.Context) error {
						reason := errors.New("no more")
						err := cancelledFor(t, ctx, op, early, reason, first)
						if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
							t.Errorf("%v", err)
						}
						return nil
					})
				})
			}
		}
	}
}

// cancelledFor returns the error of a task's operation that is cancelled.
func cancelledFor(t *testing.T, ctx context.Context, op operation, early bool, reason error, first *place) error {
	s := newScene(t, ctx)
	defer s.end(ctx)
	s.writes(ctx, first)
	return reactor.Scope(ctx, func(ctx context.Context, scope *reactor.CancelScope) error {
		if early {
			scope.Cancel(reason)
		} else {
			reactor.LoopOf(ctx).CallSoon(func() { scope.Cancel(reason) })
		}
		return op.do(&s.f, &s.other)
	})
}

// A callback can't wait: its operation fails at once, with a sentence.
func TestNoOperationWaitsInACallback(t *testing.T) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			onLoop(t, func(ctx context.Context) error {
				s := newScene(t, ctx)
				defer s.end(ctx)
				var f reactor.Future[error]
				reactor.LoopOf(ctx).CallSoon(func() { f.SetResult(op.do(&s.f, &s.other)) })
				err, _ := f.Await(ctx)
				if err == nil || errors.Is(err, os.ErrClosed) {
					t.Errorf("%v", err)
				}
				return nil
			})
		})
	}
}

// Writes of tasks and goroutines are whole, however many times each has to wait.
func TestWritesAreWhole(t *testing.T) {
	onLoop(t, func(ctx context.Context) error {
		var f poll.FD
		peer := open(t, ctx, &f)
		defer unix.Close(peer)
		const writers, size = 8, 300_000
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i := range writers {
				at := places[i%2]
				g.Go(func(ctx context.Context) error {
					return at.call(ctx, func() error { return writeTwice(&f, byte(i), size) })
				})
			}
			g.Go(func(ctx context.Context) error {
				_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) {
					return struct{}{}, readRuns(peer, 2*writers, size)
				})
				return err
			})
			return nil
		})
		f.Close()
		return err
	})
}

func writeTwice(f *poll.FD, b byte, size int) error {
	p := make([]byte, size)
	for i := range p {
		p[i] = b
	}
	if _, err := f.Write(p); err != nil {
		return err
	}
	_, err := f.Writev(&[][]byte{p[:size/3], p[size/3:]})
	return err
}

// readRuns reads n runs of a byte each.
func readRuns(fd, n, size int) error {
	unix.SetNonblock(fd, false)
	p := make([]byte, size)
	for range n {
		for got := 0; got < size; {
			m, err := unix.Read(fd, p[got:])
			if err != nil || m == 0 {
				return fmt.Errorf("%d bytes: %w", m, err)
			}
			got += m
		}
		for _, b := range p {
			if b != p[0] {
				return fmt.Errorf("a write of %d has a byte %d in it", p[0], b)
			}
		}
	}
	return nil
}

func onLoop(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	testkit.Leaks(t)
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Timeout(ctx, testkit.Patience, f)
	})
	if err != nil {
		t.Fatal(err)
	}
}
