package kqmodel

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
)

// newQueue returns a kqueue that is closed at the end, with as many descriptors
// open as before.
func newQueue(t *testing.T) int { return newQueueOf(t, &strict) }

func newQueueOf(t *testing.T, p *personality) int {
	t.Helper()
	before := openFds(t)
	kq, err := p.kqueue()
	if err != nil {
		t.Fatal(err)
	}
	own := openFds(t) - before
	t.Cleanup(func() {
		check(t, kq)
		before := openFds(t)
		Close(kq)
		if gone := before - openFds(t); gone != own {
			t.Errorf("Close released %d descriptors of %d", gone, own)
		}
	})
	return kq
}

func openFds(t *testing.T) int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// check tests the queue's invariants.
func check(t *testing.T, kq int) {
	t.Helper()
	q := lookup(kq)
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.notes) != len(q.byID) {
		t.Errorf("%d notes, %d ids", len(q.notes), len(q.byID))
	}
	times := map[*note]int{}
	for _, n := range q.active {
		times[n]++
	}
	for k, n := range q.notes {
		if n.key != k || q.byID[n.id] != n || n.queued != (times[n] == 1) || times[n] > 1 {
			t.Errorf("note %+v is active %d times", n, times[n])
		}
		delete(times, n)
	}
	if len(times) > 0 {
		t.Errorf("%d active notes are no longer there", len(times))
	}
}

func ev(fd, filter, flags int) (k Kevent_t) {
	SetKevent(&k, fd, filter, flags)
	return k
}

// submit applies changes, and handles EINTR.
func submit(kq int, changes ...Kevent_t) error {
	for {
		if _, err := Kevent(kq, changes, nil, nil); err != unix.EINTR {
			return err
		}
	}
}

func add(t *testing.T, kq, fd int, flags int, filters ...int) {
	t.Helper()
	for _, filter := range filters {
		if err := submit(kq, ev(fd, filter, EV_ADD|flags)); err != nil {
			t.Fatal(err)
		}
	}
}

// ready returns the events that are reported at once.
func ready(t *testing.T, kq int) []Kevent_t {
	t.Helper()
	var events [16]Kevent_t
	n, err := Kevent(kq, nil, events[:], &unix.Timespec{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, kq)
	return events[:n]
}

// one waits for the next event of a filter.
func one(t *testing.T, kq, filter int) Kevent_t {
	t.Helper()
	for deadline := time.Now().Add(testkit.Patience); ; {
		for _, e := range ready(t, kq) {
			if int(e.Filter) == filter {
				return e
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no event of filter %d", filter)
		}
		time.Sleep(time.Millisecond)
	}
}

func quiet(t *testing.T, kq int) {
	t.Helper()
	if events := ready(t, kq); len(events) > 0 {
		t.Fatalf("nothing happened, yet %+v", events)
	}
}

func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fds[:]...)
	return fds[0], fds[1]
}

// closeLater closes the present files of the descriptors after the test.
func closeLater(t *testing.T, fds ...int) {
	for _, fd := range fds {
		file, _ := identify(fd)
		t.Cleanup(func() {
			if now, err := identify(fd); err == nil && now == file {
				unix.Close(fd)
			}
		})
	}
}

func write(t *testing.T, fd int, s string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(s)); n != len(s) || err != nil {
		t.Fatal(n, err)
	}
}

func read(fd int) (n int) { n, _ = unix.Read(fd, make([]byte, 1<<20)); return n }

func fill(fd int) {
	for {
		if _, err := unix.Write(fd, make([]byte, 1<<16)); err != nil {
			return
		}
	}
}

func tcpPair(t *testing.T) (client, server int) {
	t.Helper()
	l, addr := tcpListen(t)
	client = tcpSocket(t)
	if err := unix.Connect(client, addr); err != nil {
		t.Fatal(err)
	}
	server, _, err := unix.Accept(l)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, server)
	return client, server
}

func tcpSocket(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fd)
	return fd
}

func tcpListen(t *testing.T) (int, unix.Sockaddr) {
	t.Helper()
	l := tcpSocket(t)
	if err := unix.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(l, 8); err != nil {
		t.Fatal(err)
	}
	addr, err := unix.Getsockname(l)
	if err != nil {
		t.Fatal(err)
	}
	return l, addr
}
