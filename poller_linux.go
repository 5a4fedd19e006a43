//go:build !kqueue_model

package eddy

import (
	"math"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Linux: epoll(7), one registration per descriptor, and an eventfd(2) to wake.
//
// A registration belongs to the pair of open file and descriptor number, and
// its 64 bits of data come back with every event: they hold the token, so an
// event cannot be taken for one of a later owner of the number.

type rawEvent = unix.EpollEvent

type backend struct {
	epfd   int
	wakeFd int
	// millis is set when epoll_pwait2 has turned out to be missing.
	millis bool
}

// interest is registered once and never changed. EPOLLERR and EPOLLHUP are
// always reported.
const interest = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLPRI | unix.EPOLLET

func (b *backend) open() (err error) {
	if b.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if err = b.openWake(); err != nil {
		unix.Close(b.epfd)
	}
	return err
}

// openWake registers an eventfd edge-triggered: each write is an edge of its
// own (eventfd_write wakes the poll queue regardless of the counter), so the
// counter is never read. It only grows, by one per wake; a write would fail at
// 2^64-2, after 584 years of a wake every nanosecond.
func (b *backend) openWake() (err error) {
	if b.wakeFd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return err
	}
	if err = b.register(b.wakeFd, unix.EPOLLIN|unix.EPOLLET, wakeToken); err != nil {
		unix.Close(b.wakeFd)
	}
	return err
}

func (b *backend) add(fd int, token uint64) error {
	return b.register(fd, interest, token)
}

// register stores the token in epoll_data, which x/sys declares as two halves.
func (b *backend) register(fd int, events uint32, token uint64) error {
	event := unix.EpollEvent{Events: events, Fd: int32(token), Pad: int32(token >> 32)}
	return unix.EpollCtl(b.epfd, unix.EPOLL_CTL_ADD, fd, &event)
}

func (b *backend) remove(fd int) error {
	return unix.EpollCtl(b.epfd, unix.EPOLL_CTL_DEL, fd, nil)
}

// poll avoids epoll_wait, which arm64 and other newer ports lack.
func (b *backend) poll(raw []rawEvent, timeout time.Duration) (int, error) {
	var n int
	var errno unix.Errno
	switch {
	case timeout == 0:
		n, errno = b.look(raw)
	case timeout > 0 && !b.millis:
		n, errno = b.sleep(raw, timeout)
		// ENOSYS: Linux before 5.11. EPERM: a seccomp filter that does not know
		// the number; epoll_pwait2 itself has no such error.
		if errno == unix.ENOSYS || errno == unix.EPERM {
			b.millis = true
			n, errno = b.sleepMillis(raw, timeout)
		}
	default:
		n, errno = b.sleepMillis(raw, timeout)
	}
	switch errno {
	case 0:
		return n, nil
	case unix.EINTR:
		return 0, nil
	}
	return 0, errno
}

// look does not block, so it need not enter the Go scheduler.
func (b *backend) look(raw []rawEvent) (int, unix.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(b.epfd),
		uintptr(unsafe.Pointer(&raw[0])), uintptr(len(raw)), 0, 0, 0)
	return int(n), errno
}

// timespec64 is the kernel's __kernel_timespec: 64 bits twice on every
// architecture, where unix.Timespec has the older calls' 32 bits on some.
type timespec64 struct{ sec, nsec int64 }

func (b *backend) sleep(raw []rawEvent, timeout time.Duration) (int, unix.Errno) {
	ts := timespec64{int64(timeout / time.Second), int64(timeout % time.Second)}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(b.epfd),
		uintptr(unsafe.Pointer(&raw[0])), uintptr(len(raw)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	return int(n), errno
}

func (b *backend) sleepMillis(raw []rawEvent, timeout time.Duration) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(b.epfd),
		uintptr(unsafe.Pointer(&raw[0])), uintptr(len(raw)), uintptr(millis(timeout)), 0, 0)
	return int(n), errno
}

// millis rounds up: rounding down would make a loop spin through the last
// millisecond before each deadline. The kernel's parameter is an int: 24 days
// at most.
func millis(timeout time.Duration) int {
	if timeout < 0 {
		return -1
	}
	ms := timeout / time.Millisecond
	if timeout%time.Millisecond != 0 {
		ms++
	}
	return int(min(ms, math.MaxInt32))
}

func (b *backend) translate(raw []rawEvent, events []Event) ([]Event, bool) {
	woken := false
	for i := range raw {
		token := uint64(uint32(raw[i].Fd)) | uint64(uint32(raw[i].Pad))<<32
		if token == wakeToken {
			woken = true // the edge is consumed by being reported
			continue
		}
		events = append(events, Event{Token: token, Ready: readiness(raw[i].Events)})
	}
	return events, woken
}

func readiness(events uint32) (r Readiness) {
	if events&unix.EPOLLIN != 0 {
		r |= Readable
	}
	if events&unix.EPOLLOUT != 0 {
		r |= Writable
	}
	if events&unix.EPOLLRDHUP != 0 {
		r |= ReadClosed | Readable
	}
	if events&unix.EPOLLHUP != 0 {
		r |= Hangup | Readable | Writable
	}
	if events&unix.EPOLLERR != 0 {
		r |= Failed | Readable | Writable
	}
	if events&unix.EPOLLPRI != 0 {
		r |= Urgent | Readable
	}
	return r
}

// signal makes a raw system call, because it cannot block: the descriptor is
// nonblocking.
func (b *backend) signal() error {
	one := uint64(1)
	_, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(b.wakeFd),
		uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
	if errno != 0 {
		return errno
	}
	return nil
}

// close frees both descriptors even if it returns an error (close(2)).
func (b *backend) close() error {
	wakeErr := unix.Close(b.wakeFd)
	if err := unix.Close(b.epfd); err != nil {
		return err
	}
	return wakeErr
}
