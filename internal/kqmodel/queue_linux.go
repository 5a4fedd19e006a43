package kqmodel

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A queue is one kqueue. Two edge-triggered epoll sets activate its filters;
// when it reports a filter, it gets the state by poll(2). There are two sets
// because a kqueue separates the directions and an epoll set does not. The
// first set's descriptor is the kqueue's, and the second is in the first, so
// that a kqueue can be polled.
//
// Invariants: notes and byID hold the same notes. A note is in active, once,
// while its queued is set; active holds the notes that were activated and not
// yet reported, in the order of their activation.
//
// repeaters holds the notes whose mayRepeat is true, in the order of adding.
type queue struct {
	is        *personality
	mu        sync.Mutex
	sets      [2]int // of READ and PROC, of WRITE
	notes     map[key]*note
	byID      map[int32]*note
	lastID    int32
	active    []*note
	repeaters []*note
	turn      int // index of the one examined last
	random    *rand.Rand
	calls     int // calls that only submitted changes
	raw       [64]unix.EpollEvent
}

var (
	registry sync.Mutex
	queues   = map[int]*queue{}
	made     uint64 // how many kqueues were made

	began = time.Now() // the first tick
)

// Kqueue makes a kqueue; see kqueue(2). It uses two descriptors where a kernel
// uses one, so it must be closed by [Close].
func Kqueue() (int, error) { return chosen.kqueue() }

func (p *personality) kqueue() (int, error) {
	q := &queue{is: p, notes: map[key]*note{}, byID: map[int32]*note{}}
	var err error
	if q.sets[0], err = unix.EpollCreate1(0); err != nil {
		return -1, err
	}
	if q.sets[1], err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		unix.Close(q.sets[0])
		return -1, err
	}
	// No note has identifier 0.
	err = unix.EpollCtl(q.sets[0], unix.EPOLL_CTL_ADD, q.sets[1], &unix.EpollEvent{Events: unix.EPOLLIN})
	if err != nil {
		unix.Close(q.sets[0])
		unix.Close(q.sets[1])
		return -1, err
	}
	registry.Lock()
	defer registry.Unlock()
	queues[q.sets[0]] = q
	made++
	q.random = newRandom(p, made)
	return q.sets[0], nil
}

// Close closes a kqueue and deletes its filters.
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

// Kevent applies changes, and then waits for events unless events is empty; see
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

// interrupt simulates a signal: "When kevent() call fails with EINTR error, all
// changes in the changelist have been applied." The calls that it interrupts
// follow the Thue-Morse sequence, which has no period, so no regular pattern of
// calls escapes it.
func (q *queue) interrupt(changes []Kevent_t) error {
	if len(changes) == 0 || !q.is.interrupts {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.calls++; bits.OnesCount(uint(q.calls))%2 == 0 {
		return unix.EINTR
	}
	return nil
}

func (q *queue) wait(events []Kevent_t, timeout *unix.Timespec) (int, error) {
	var deadline time.Time
	if timeout != nil {
		if timeout.Sec < 0 || int64(timeout.Sec) > q.is.longest.is || timeout.Nsec < 0 || timeout.Nsec >= 1e9 {
			return -1, unix.EINVAL
		}
		now := time.Now()
		deadline = now.Add(q.is.sleep(duration(timeout), now.Sub(began)))
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
		sets := [1]unix.PollFd{{Fd: int32(q.sets[0]), Events: unix.POLLIN}}
		if _, err := unix.Ppoll(sets[:], left, nil); err != nil {
			return -1, err
		}
	}
}

// duration converts ts, limited to about a century.
func duration(ts *unix.Timespec) time.Duration {
	const longest = 1 << 32
	if int64(ts.Sec) > longest {
		return longest * time.Second
	}
	return time.Duration(ts.Nano())
}

func (q *queue) collect(events []Kevent_t) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.repeat()
	known := len(q.active)
	first, second := 1, 0
	if q.is.readFirst.is {
		first, second = second, first
	}
	q.activate(q.sets[first])
	q.activate(q.sets[second])
	early(q.active[known:])
	return q.report(events)
}

// early moves the notes that were ready when they were added to the front, in the
// order of adding.
func early(active []*note) {
	slices.SortStableFunc(active, func(a, b *note) int {
		switch {
		case a.early && b.early:
			return cmp.Compare(a.id, b.id)
		case a.early:
			return -1
		case b.early:
			return 1
		}
		return 0
	})
	for _, n := range active {
		n.early = false
	}
}

// activate activates the notes that a set reports. A note that is active
// already keeps its place: "Multiple events which trigger the filter do not
// result in multiple kevents being placed on the kqueue".
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

// report fills events from the active notes, looking at each once. "The filter
// is also run when the user attempts to retrieve the kevent from the kqueue. If
// the filter indicates that the condition that triggered the event no longer
// holds, the kevent is removed from the kqueue and is not returned."
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
		if !n.look(q.is, &events[told]) {
			continue
		}
		told++
		switch {
		case n.flags&EV_ONESHOT != 0:
			q.drop(n)
		case n.flags&EV_CLEAR == 0: // level-triggered: reported again while it holds
			q.push(n)
		}
	}
	q.active = q.active[:copy(q.active, q.active[looked:])]
	return told
}
