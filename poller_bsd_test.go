//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package eddy

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func ownFds(p *Poller) (queue int, wake []int) {
	return p.kernel.kq, []int{p.kernel.wake.read, p.kernel.wake.write}
}

func kevent(fd, filter, flags int, fflags uint32) (ev kqEvent) {
	kqSet(&ev, fd, filter, flags)
	ev.Fflags = fflags
	return ev
}

func TestKeventBits(t *testing.T) {
	reset := uint32(unix.ECONNRESET)
	tests := []struct {
		ev   kqEvent
		want Readiness
	}{
		{kevent(1, kqRead, 0, 0), Readable},
		{kevent(1, kqWrite, 0, 0), Writable},
		{kevent(1, kqRead, kqEOF, 0), Readable | ReadClosed | Writable},
		{kevent(1, kqWrite, kqEOF, 0), Writable | Hangup | Readable},
		{kevent(1, kqRead, kqEOF, reset), Readable | ReadClosed | Writable | Failed},
		{kevent(1, kqWrite, kqEOF, reset), Writable | Hangup | Readable | Failed},
		{kevent(1, kqRead, 0, reset), Readable},
		{kevent(1, kqRead, kqError, 0), Readable | Writable | Failed},
	}
	for _, tt := range tests {
		if got := readiness(&tt.ev); got != tt.want || !implied(got) {
			t.Errorf("%+v is %v, want %v", tt.ev, got, tt.want)
		}
	}
}

// READ and WRITE of one descriptor make one Event; those of an unregistered
// number make none.
func TestKeventsMerge(t *testing.T) {
	b := backend{wake: selfPipe{read: -1}}
	b.slots.set(4, 40)
	b.slots.set(9, 90)
	raw := []kqEvent{
		kevent(4, kqWrite, 0, 0),
		kevent(9, kqRead, 0, 0),
		kevent(5, kqRead, 0, 0),
		kevent(4, kqRead, 0, 0),
		kevent(1000, kqRead, 0, 0),
	}
	for range 2 { // a second batch does not overwrite the first
		events, woken := b.translate(raw, nil)
		if woken || len(events) != 2 || of(events, 40) != Readable|Writable || of(events, 90) != Readable {
			t.Errorf("events %v, woken %v", events, woken)
		}
	}
	raw = raw[3:4]
	if events, _ := b.translate(raw, nil); len(events) != 1 || of(events, 40) != Readable {
		t.Errorf("events %v", events)
	}
	b.slots.clear(4)
	if events, _ := b.translate(raw, nil); len(events) != 0 {
		t.Errorf("after remove: %v", events)
	}
	if err := b.slots.check(); err != nil {
		t.Error(err)
	}
}

// Hangup is reported once both directions have ended, in one batch or in two,
// in either order; a later owner of the number starts afresh.
func TestHangupIsBothEnds(t *testing.T) {
	in, out := kevent(4, kqRead, kqEOF, 0), kevent(4, kqWrite, kqEOF, 0)
	all := Readable | Writable | ReadClosed | Hangup
	for _, tt := range []struct {
		batches []([]kqEvent)
		want    []Readiness
	}{
		{[][]kqEvent{{in}, {in}}, []Readiness{Readable | Writable | ReadClosed, Readable | Writable | ReadClosed}},
		{[][]kqEvent{{out}, {out}}, []Readiness{Readable | Writable, Readable | Writable}},
		{[][]kqEvent{{in, out}}, []Readiness{all}},
		{[][]kqEvent{{out, in}}, []Readiness{all}},
		{[][]kqEvent{{in}, {out}}, []Readiness{Readable | Writable | ReadClosed, Readable | Writable | Hangup}},
		{[][]kqEvent{{out}, {in}}, []Readiness{Readable | Writable, all}},
	} {
		b := backend{wake: selfPipe{read: -1}}
		b.slots.set(4, 40)
		for i, raw := range tt.batches {
			events, _ := b.translate(raw, nil)
			if len(events) != 1 || events[0].Ready != tt.want[i] || !implied(events[0].Ready) {
				t.Errorf("batch %d of %+v: %v, want %v", i, tt.batches, events, tt.want[i])
			}
		}
		if err := b.slots.check(); err != nil {
			t.Error(err)
		}
		b.slots.set(4, 41)
		if events, _ := b.translate([]kqEvent{out}, nil); of(events, 41)&Hangup != 0 {
			t.Errorf("the next owner: %v", events)
		}
	}
}

// The end of writing that the kernel does not report is reported once, merged with
// what the kernel reports in that batch, and no Wait sleeps before.
func TestOwedReport(t *testing.T) {
	p := newPoller(t)
	r, w := pipe(t)
	r.close()
	add(t, p, w, 1)
	b := &p.kernel
	b.slots.slots[w.fd].owed, b.slots.owed = false, nil // regardless of this system's report
	b.slots.owe(w.fd)
	start := time.Now()
	if got := of(next(t, p, patience), 1); got&Writable == 0 || time.Since(start) >= patience {
		t.Errorf("reported %v after %v", got, time.Since(start))
	}
	if len(b.slots.owed) != 0 || b.slots.slots[w.fd].owed {
		t.Errorf("owed still: %v", b.slots.owed)
	}
	settle(t, p)
	quiet(t, p)
}

func checkBackend(p *Poller) error { return p.kernel.slots.check() }

// Closing has unregistered the descriptor, so a later Remove succeeds.
func TestRemoveAfterClose(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	add(t, p, a, 1)
	a.close()
	remove(t, p, a)
}

func TestRemoveDeletesBothFilters(t *testing.T) {
	p := newPoller(t)
	for range 20 { // interrupted or not
		a, _ := pair(t)
		add(t, p, a, 1)
		remove(t, p, a)
		for _, filter := range []int{kqRead, kqWrite} {
			change := []kqEvent{kevent(a.fd, filter, kqDelete, 0)}
			if _, err := kqCall(p.kernel.kq, change, nil, nil); err != unix.ENOENT {
				t.Fatalf("filter %d was still there: %v", filter, err)
			}
		}
	}
}

// Bytes left in the pipe would fill it in the end.
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
