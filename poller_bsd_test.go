//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package eddy

import (
	"testing"

	"golang.org/x/sys/unix"
)

func ownFds(p *Poller) (queue int, wake []int) {
	return p.kernel.kq, []int{p.kernel.wake.read, p.kernel.wake.write}
}

func kevent(fd, filter, flags int, fflags uint32) (ev unix.Kevent_t) {
	unix.SetKevent(&ev, fd, filter, flags)
	ev.Fflags = fflags
	return ev
}

func TestKeventBits(t *testing.T) {
	reset := uint32(unix.ECONNRESET)
	tests := []struct {
		ev   unix.Kevent_t
		want Readiness
	}{
		{kevent(1, unix.EVFILT_READ, 0, 0), Readable},
		{kevent(1, unix.EVFILT_WRITE, 0, 0), Writable},
		{kevent(1, unix.EVFILT_READ, unix.EV_EOF, 0), Readable | ReadClosed | Writable},
		{kevent(1, unix.EVFILT_WRITE, unix.EV_EOF, 0), Writable | Hangup | Readable},
		{kevent(1, unix.EVFILT_READ, unix.EV_EOF, reset), Readable | ReadClosed | Writable | Failed},
		{kevent(1, unix.EVFILT_WRITE, unix.EV_EOF, reset), Writable | Hangup | Readable | Failed},
		{kevent(1, unix.EVFILT_READ, 0, reset), Readable},
		{kevent(1, unix.EVFILT_READ, unix.EV_ERROR, 0), Readable | Writable | Failed},
	}
	for _, tt := range tests {
		if got := readiness(&tt.ev); got != tt.want || !implied(got) {
			t.Errorf("%+v is %v, want %v", tt.ev, got, tt.want)
		}
	}
}

// READ and WRITE of one descriptor make one Event; those of a number that is
// not registered make none.
func TestKeventsMerge(t *testing.T) {
	b := backend{wake: selfPipe{read: -1}}
	b.reserve(9)
	b.slots[4] = slot{token: 40, registered: true}
	b.slots[9] = slot{token: 90, registered: true}
	raw := []unix.Kevent_t{
		kevent(4, unix.EVFILT_WRITE, 0, 0),
		kevent(9, unix.EVFILT_READ, 0, 0),
		kevent(5, unix.EVFILT_READ, 0, 0),
		kevent(4, unix.EVFILT_READ, 0, 0),
		kevent(1000, unix.EVFILT_READ, 0, 0),
	}
	for range 2 { // a second batch does not write into the first one's places
		events, woken := b.translate(raw, nil)
		if woken || len(events) != 2 || of(events, 40) != Readable|Writable || of(events, 90) != Readable {
			t.Errorf("events %v, woken %v", events, woken)
		}
	}
	raw = raw[3:4]
	if events, _ := b.translate(raw, nil); len(events) != 1 || of(events, 40) != Readable {
		t.Errorf("events %v", events)
	}
}

// Unlike epoll, kqueue takes a second add, with the newer token.
func TestAddTwiceTakesNewToken(t *testing.T) {
	p := newPoller(t)
	a, peer := pair(t)
	add(t, p, a, 1)
	add(t, p, a, 2)
	peer.send("x")
	if events := next(t, p, patience); of(events, 1) != 0 || of(events, 2)&Readable == 0 {
		t.Errorf("events %v", events)
	}
}

// Closing has unregistered it; Remove after the fact succeeds.
func TestRemoveAfterClose(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	add(t, p, a, 1)
	a.close()
	remove(t, p, a)
}

func TestRemoveDeletesBothFilters(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	add(t, p, a, 1)
	remove(t, p, a)
	for _, filter := range []int{unix.EVFILT_READ, unix.EVFILT_WRITE} {
		if err := p.kernel.change(a.fd, filter, unix.EV_DELETE); err != unix.ENOENT {
			t.Errorf("filter %d was still there: %v", filter, err)
		}
	}
}

// A byte left behind would one day leave no room for the next.
func TestWakeDrainsThePipe(t *testing.T) {
	p := newPoller(t)
	for range 3 {
		p.Wake()
		wakeReturns(t, p)
		if n, err := unix.Read(p.kernel.wake.read, make([]byte, 1)); err != unix.EAGAIN {
			t.Fatalf("read %d, %v from the pipe", n, err)
		}
	}
}
