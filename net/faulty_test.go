package net

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// faulty is the kernel's socket calls with everything that they may do to a
// caller besides what it hopes for: EINTR before any call, EAGAIN where there
// is data (what a spurious readiness looks like), reads and writes of one byte, a
// connection that is gone before it is accepted, and lack of resources. The
// same choices make the same faults.
//
// What it hides from its caller it owes it: its poller, a nudger, reports the fd
// once more, as the kernel would when the rest comes later.
type faulty struct {
	sockets.System
	choose func(n int) int // 0 <= choose(n) < n; 0 is no fault
	starve int             // how many accepts are still to fail for want of resources
	nudge  *nudger
	counts map[string]int
}

// underFaults runs f as the main task of a loop whose kernel is faulty.
func underFaults(t testing.TB, choose func(n int) int, f func(ctx context.Context, kernel *faulty)) {
	t.Helper()
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	k := &faulty{choose: choose, counts: map[string]int{}, nudge: &nudger{Poller: p, choose: choose}}
	o := reactor.Options{Sockets: k, Poller: k.nudge}
	runWith(t, o, func(ctx context.Context) { f(ctx, k) })
}

// seeded makes choices that depend on nothing but the seed.
func seeded(seed uint64) func(int) int { return rand.New(rand.NewPCG(seed, 0)).IntN }

// scripted makes the choices that are written in a string, and then no more.
func scripted(script []byte) func(int) int {
	return func(n int) int {
		if len(script) == 0 {
			return 0
		}
		v := int(script[0]) % n
		script = script[1:]
		return v
	}
}

func (f *faulty) fault(name string) { f.counts[name]++ }

func (f *faulty) Read(fd int, p []byte) (int, syscall.Errno) {
	switch f.choose(6) {
	case 1:
		f.fault("read EINTR")
		return 0, syscall.EINTR
	case 2:
		f.fault("read EAGAIN")
		f.nudge.again(fd)
		return 0, syscall.EAGAIN
	case 3:
		f.fault("read of one byte")
		f.nudge.again(fd)
		return f.System.Read(fd, p[:min(1, len(p))])
	}
	return f.System.Read(fd, p)
}

func (f *faulty) Write(fd int, p []byte) (int, syscall.Errno) {
	switch f.choose(6) {
	case 1:
		f.fault("write EINTR")
		return 0, syscall.EINTR
	case 2:
		f.fault("write EAGAIN")
		f.nudge.again(fd)
		return 0, syscall.EAGAIN
	case 3:
		f.fault("write of one byte")
		return f.System.Write(fd, p[:min(1, len(p))])
	case 4:
		f.fault("half a write")
		return f.System.Write(fd, p[:(len(p)+1)/2])
	}
	return f.System.Write(fd, p)
}

func (f *faulty) Accept(fd int) (int, unix.Sockaddr, error) {
	if f.starve > 0 {
		f.starve--
		f.fault("accept without resources")
		return -1, nil, []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM}[f.choose(4)]
	}
	switch f.choose(5) {
	case 1:
		f.fault("accept EINTR")
		return -1, nil, unix.EINTR
	case 2:
		f.fault("accept ECONNABORTED")
		return -1, nil, unix.ECONNABORTED
	case 3:
		f.fault("accept EAGAIN")
		f.nudge.again(fd)
		return -1, nil, unix.EAGAIN
	}
	return f.System.Accept(fd)
}

// Connect may be interrupted, and then goes on in the background.
func (f *faulty) Connect(fd int, addr unix.Sockaddr) error {
	err := f.System.Connect(fd, addr)
	if (err == nil || err == unix.EINPROGRESS) && f.choose(2) == 1 {
		f.fault("connect EINTR")
		return unix.EINTR
	}
	return err
}

// A nudger is a poller that reports fds as ready without news of them: those
// that it was asked to, and, spuriously, others. It reports an event twice, or once
// more when its fd may be closed by then, and in another order.
type nudger struct {
	*eddy.Poller
	choose func(n int) int
	fds    []registration
	owed   []int
	events []eddy.Event
	old    eddy.Event // one of an earlier batch
	spurs  int
	twice  int
	stale  int
}

type registration struct {
	fd    int
	token uint64
}

func (n *nudger) again(fd int) { n.owed = append(n.owed, fd) }

func (n *nudger) Add(fd int, token uint64) error {
	err := n.Poller.Add(fd, token)
	if err == nil {
		n.fds = append(n.fds, registration{fd, token})
	}
	return err
}

func (n *nudger) Remove(fd int) error {
	for i, r := range n.fds {
		if r.fd == fd {
			n.fds = append(n.fds[:i], n.fds[i+1:]...)
			break
		}
	}
	return n.Poller.Remove(fd)
}

func (n *nudger) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if len(n.owed) > 0 {
		timeout = 0
	}
	events, err := n.Poller.Wait(timeout)
	n.events = append(n.events[:0], events...)
	for _, fd := range n.owed {
		for _, r := range n.fds {
			if r.fd == fd {
				n.report(r)
			}
		}
	}
	n.owed = n.owed[:0]
	if len(events) > 0 && len(n.fds) > 0 && n.choose(4) == 1 {
		n.spurs++
		n.report(n.fds[n.choose(len(n.fds))])
	}
	n.disorder()
	return n.events, err
}

// disorder makes the batch one that no kernel promises not to make.
func (n *nudger) disorder() {
	if len(n.events) == 0 {
		return
	}
	if n.choose(4) == 1 {
		n.twice++
		n.events = append(n.events, n.events[n.choose(len(n.events))])
	}
	if n.old.Ready != 0 && n.choose(4) == 1 {
		n.stale++
		n.events = append(n.events, n.old)
	}
	if n.old.Ready == 0 || n.choose(4) == 1 {
		n.old = n.events[0]
	}
	if i := n.choose(len(n.events)); i > 0 {
		n.events[0], n.events[i] = n.events[i], n.events[0]
	}
}

func (n *nudger) report(r registration) {
	n.events = append(n.events, eddy.Event{Token: r.token, Ready: eddy.Readable | eddy.Writable})
}
