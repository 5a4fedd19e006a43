package kqmodel

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// change applies changes in order. "If an error occurs while processing an
// element of the changelist and there is enough room in the eventlist, then the
// event will be placed in the eventlist with EV_ERROR set in flags and the system
// error in data. Otherwise, -1 will be returned, and errno will be set".
func (q *queue) change(changes, events []Kevent_t) (errors int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range changes {
		errno := q.apply(c)
		switch {
		case errno == 0:
		case errors == len(events):
			return -1, errno
		default:
			events[errors] = Kevent_t{Ident: c.Ident, Filter: c.Filter, Flags: EV_ERROR, Data: int64(errno)}
			errors++
		}
	}
	return errors, nil
}

func (q *queue) apply(c Kevent_t) unix.Errno {
	if extra := c.Flags &^ (EV_ADD | EV_DELETE | EV_ENABLE | EV_CLEAR | EV_ONESHOT); extra != 0 {
		panic(fmt.Sprintf("kqmodel: flags %#x are not modelled", extra))
	}
	k := key{int(c.Ident), c.Filter}
	n := q.notes[k]
	switch k.filter {
	case EVFILT_READ, EVFILT_WRITE:
		file, err := identify(k.ident)
		if err != nil {
			return unix.EBADF
		}
		if n != nil && n.file != file {
			q.drop(n)
			n = nil
		}
	case EVFILT_PROC:
	default:
		panic(fmt.Sprintf("kqmodel: filter %d is not modelled", k.filter))
	}
	switch {
	case n == nil && c.Flags&EV_ADD == 0:
		return unix.ENOENT
	case n == nil:
		return q.attach(k, c.Flags)
	case c.Flags&EV_DELETE != 0:
		q.drop(n)
		return 0
	}
	// "Re-adding an existing event will modify the parameters of the original event,
	// and not result in a duplicate entry"; and the filter is run again.
	switch {
	case c.Flags&EV_ADD != 0:
		n.flags = c.Flags
	case !q.is.enableTells.is:
		return 0
	}
	return q.register(n, unix.EPOLL_CTL_MOD)
}

// attach makes the filter and checks its present state: epoll treats a new
// registration as an activation if the descriptor is ready.
func (q *queue) attach(k key, flags uint16) unix.Errno {
	n := &note{key: k, flags: flags, source: k.ident}
	if errno := n.open(q.is); errno != 0 {
		return errno
	}
	q.lastID++
	n.id = q.lastID
	if errno := q.register(n, unix.EPOLL_CTL_ADD); errno != 0 {
		n.close()
		return errno
	}
	q.notes[k], q.byID[n.id] = n, n
	if n.mayRepeat(q.is) {
		q.repeaters = append(q.repeaters, n)
	}
	if n.end() == wrongForWrite && q.is.writeOnReader.is == reportsRoom {
		q.push(n)
	}
	n.early = q.is.inOrder.is && n.look(q.is, &Kevent_t{})
	return 0
}

func (q *queue) register(n *note, op int) unix.Errno {
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if n.filter == EVFILT_WRITE {
		events = unix.EPOLLOUT
	}
	err := unix.EpollCtl(q.setOf(n), op, n.source, &unix.EpollEvent{Events: events | unix.EPOLLET, Fd: n.id})
	if err == unix.EEXIST { // left from a note of this file that counted as closed
		return q.register(n, unix.EPOLL_CTL_MOD)
	}
	if err == unix.EPERM {
		return refusal(n.source)
	}
	errno, _ := err.(unix.Errno)
	return errno
}

// refusal returns the error for a descriptor that epoll refuses: ENODEV for a
// device, as on Darwin, and EINVAL for a regular file, which the model leaves
// out.
func refusal(fd int) unix.Errno {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR {
		return unix.ENODEV
	}
	return unix.EINVAL
}

// setOf returns the epoll set that watches the note's descriptor.
func (q *queue) setOf(n *note) int {
	if n.filter == EVFILT_WRITE {
		return q.sets[1]
	}
	return q.sets[0]
}

// drop deletes the filter. If its descriptor was closed, the set may no longer
// have it; the number may belong to another file, which is not in the set.
func (q *queue) drop(n *note) {
	unix.EpollCtl(q.setOf(n), unix.EPOLL_CTL_DEL, n.source, nil)
	n.close()
	delete(q.notes, n.key)
	delete(q.byID, n.id)
	q.repeaters = slices.DeleteFunc(q.repeaters, func(m *note) bool { return m == n })
	if !n.queued {
		return
	}
	for i, m := range q.active {
		if m == n {
			q.active = append(q.active[:i], q.active[i+1:]...)
			n.queued = false
			return
		}
	}
}
