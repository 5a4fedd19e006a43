package kqmodel

import (
	"math/bits"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A queue is one kqueue. Two edge-triggered epoll sets tell it when to look at a
// filter (its activation); what there is to see, it asks poll(2) at the moment of
// the report. The sets are two, since a kqueue tells the directions apart and an
// epoll set does not. The number of the first is the kqueue's, so that a kqueue
// can be polled.
//
// Invariants: notes and byID hold the same notes. A note is in active, once, while
// its queued is set; the notes in active are those that were activated and not
// yet told of, in the order of their activation.
type queue struct {
	mu     sync.Mutex
	sets   [2]int // of READ and PROC, of WRITE
	notes  map[key]*note
	byID   map[int32]*note
	lastID int32
	active []*note
	calls  int // those that only submitted changes
	raw    [64]unix.EpollEvent
}

var (
	registry sync.Mutex
	queues   = map[int]*queue{}
)

// Kqueue makes a kqueue; see kqueue(2). It takes two descriptors where a kernel
// takes one, so it has to be closed by [Close].
func Kqueue() (int, error) {
	q := &queue{notes: map[key]*note{}, byID: map[int32]*note{}}
	var err error
	if q.sets[0], err = unix.EpollCreate1(0); err != nil {
		return -1, err
	}
	if q.sets[1], err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		unix.Close(q.sets[0])
		return -1, err
	}
	registry.Lock()
	defer registry.Unlock()
	queues[q.sets[0]] = q
	return q.sets[0], nil
}

// Close closes a kqueue, and all filters with it.
func Close(kq int) error {
	registry.Lock()
	q := queues[kq]
	delete(queues, kq)
	registry.Unlock()
	if q == nil {
		return unix.EBADF
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, n := range q.notes {
		q.drop(n)
	}
	unix.Close(q.sets[1])
	return unix.Close(q.sets[0])
}

func lookup(kq int) *queue {
	registry.Lock()
	defer registry.Unlock()
	return queues[kq]
}

// Kevent applies changes, and then waits for events if there is room for any; see
// kevent(2). It may be called from several goroutines at once.
func Kevent(kq int, changes, events []Kevent_t, timeout *unix.Timespec) (int, error) {
	q := lookup(kq)
	if q == nil {
		return -1, unix.EBADF
	}
	if n, err := q.change(changes, events); n > 0 || err != nil {
		return n, err
	}
	if len(events) == 0 { // "kevent() will return immediately even if there is a timeout specified"
		return 0, q.interrupt(changes)
	}
	return q.wait(events, timeout)
}

// interrupt plays a signal: "When kevent() call fails with EINTR error, all
// changes in the changelist have been applied." Which calls it hits has no period
// (it is the sequence of Thue and Morse), so that no caller's habit evades it.
func (q *queue) interrupt(changes []Kevent_t) error {
	if len(changes) == 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.calls++; bits.OnesCount(uint(q.calls))%2 == 0 {
		return unix.EINTR
	}
	return nil
}

// longest is what XNU's itimerfix takes, in seconds.
const longest = 100_000_000

func (q *queue) wait(events []Kevent_t, timeout *unix.Timespec) (int, error) {
	var deadline time.Time
	if timeout != nil {
		if timeout.Sec < 0 || timeout.Sec > longest || timeout.Nsec < 0 || timeout.Nsec >= 1e9 {
			return -1, unix.EINVAL
		}
		deadline = time.Now().Add(time.Duration(timeout.Nano()))
	}
	for {
		if n := q.collect(events); n > 0 {
			return n, nil
		}
		var left *unix.Timespec
		if timeout != nil {
			d := time.Until(deadline)
			if d <= 0 {
				return 0, nil
			}
			ts := unix.NsecToTimespec(int64(d))
			left = &ts
		}
		sets := [2]unix.PollFd{{Fd: int32(q.sets[0]), Events: unix.POLLIN}, {Fd: int32(q.sets[1]), Events: unix.POLLIN}}
		if _, err := unix.Ppoll(sets[:], left, nil); err != nil {
			return -1, err
		}
	}
}

func (q *queue) collect(events []Kevent_t) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.activate(q.sets[1])
	q.activate(q.sets[0])
	return q.report(events)
}

// activate asks a set which of its notes have been activated. A note that is
// active already stays where it is: "Multiple events which trigger the filter do
// not result in multiple kevents being placed on the kqueue".
func (q *queue) activate(set int) {
	for {
		n, _ := unix.EpollWait(set, q.raw[:], 0)
		for i := range max(n, 0) {
			if note := q.byID[q.raw[i].Fd]; note != nil {
				q.push(note)
			}
		}
		if n < len(q.raw) {
			return
		}
	}
}

func (q *queue) push(n *note) {
	if !n.queued {
		n.queued = true
		q.active = append(q.active, n)
	}
}

// report fills events from the notes that are active, each looked at once. "The
// filter is also run when the user attempts to retrieve the kevent from the
// kqueue. If the filter indicates that the condition that triggered the event no
// longer holds, the kevent is removed from the kqueue and is not returned."
func (q *queue) report(events []Kevent_t) (told int) {
	looked := len(q.active)
	for i := range looked {
		if told == len(events) {
			looked = i
			break
		}
		n := q.active[i]
		n.queued = false
		if !n.live() {
			q.drop(n)
			continue
		}
		if !n.look(&events[told]) {
			continue
		}
		told++
		switch {
		case n.flags&EV_ONESHOT != 0:
			q.drop(n)
		case n.flags&EV_CLEAR == 0: // level-triggered: it is told again while it holds
			q.push(n)
		}
	}
	q.active = q.active[:copy(q.active, q.active[looked:])]
	return told
}
