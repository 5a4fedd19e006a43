package eddy

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The contract of a backend. One file per kernel (poller_linux.go,
// poller_bsd.go) defines the types rawEvent, the kernel's own event, and
// backend, which holds its descriptors and has the methods below. They make
// system calls and translate events; everything common to all kernels (the wake
// protocol, closing, the batch size, error texts) is in this file. Errors are
// bare errnos. Only the owner's goroutine calls these methods, except signal.
//
// open() error creates the kernel's queue and the wake descriptor, both
// close-on-exec, and registers the latter under wakeToken. On failure it leaves
// nothing open.
//
// add(fd, token) error registers fd for both directions and for the peer's
// half-close, edge-triggered, so that the next poll reports what is ready
// already. It returns EPERM for a regular file or a directory, EEXIST if fd is
// registered. A failed add changes nothing.
//
// remove(fd) error ends the registration and drops its pending events. It
// returns ENOENT if there was none. A descriptor that the kernel unregistered
// by itself counts as removed.
//
// poll(raw, timeout) (int, error) fills raw, which is never empty, with what is
// ready. It sleeps only if nothing is: not at all if timeout is 0, forever if
// it is negative. It rounds the timeout up, caps it at what the kernel accepts,
// and returns 0, nil when interrupted. It does not allocate.
//
// translate(raw, events) ([]Event, bool) appends the events of raw, at most one
// Event per descriptor, with the token registered when poll returned. It
// reports whether the wake event was among them, and has then consumed it: a
// later signal makes a new event. It runs before the caller can add or remove
// anything.
//
// signal() error makes the wake event appear. It may be called from any
// goroutine, never blocks, and is not called again until translate has reported
// the wake.
//
// close() error closes what open opened. It is called once.

// Readiness describes the state of a descriptor: a set of the bits below.
// ReadClosed and Urgent imply Readable; Hangup and Failed imply Readable and
// Writable, so that a caller that waits to read or to write tries, and gets the
// error.
type Readiness uint8

const (
	// Readable: a read will not block. There is data, the end of the input, or
	// an error. On a listener, an accept will not block.
	Readable Readiness = 1 << iota
	// Writable: a write will not block. There is room, or an error. On a
	// connecting socket, the attempt is over.
	Writable
	// ReadClosed: the peer has shut down its writing side, or both. Data that it
	// sent before may still be unread.
	ReadClosed
	// Hangup: both directions are gone. Data may still be unread.
	Hangup
	// Failed: an error is pending on the socket (see SO_ERROR in socket(7)), or
	// the pipe has no reader.
	Failed
	// Urgent: urgent data has come in on a TCP stream (MSG_OOB, tcp(7)). A read
	// stops at its mark, so a short read does not mean that the socket is
	// drained. Linux only.
	Urgent
)

var readinessNames = [...]string{"Readable", "Writable", "ReadClosed", "Hangup", "Failed", "Urgent"}

// String names the bits that are set, joined by "|"; "0" if none is.
func (r Readiness) String() string {
	if r == 0 {
		return "0"
	}
	var names []string
	for i, name := range readinessNames {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if rest := r >> len(readinessNames) << len(readinessNames); rest != 0 {
		names = append(names, fmt.Sprintf("%#x", uint8(rest)))
	}
	return strings.Join(names, "|")
}

// An Event reports the readiness of a descriptor.
type Event struct {
	Token uint64    // as given to Add
	Ready Readiness // never 0
}

// wakeToken is the registration of the wake descriptor; Add refuses it.
const wakeToken = math.MaxUint64

// The batch starts small, because most loops stay small, and doubles whenever
// it is full. The limit bounds both the memory kept after a burst (about 112 KB
// on Linux) and the time that one batch keeps the loop from its other work.
// Events that do not fit stay in the kernel, in order, for the next Wait.
const (
	minBatch = 128
	maxBatch = 4096
)

// The bits of Poller.state.
const (
	open    uint32 = 1 << iota // set by NewPoller, cleared for good by Close
	pending                    // a wake was asked for and no Wait has seen it
)

// A Poller asks the kernel which descriptors are ready. Make one with
// [NewPoller]; the zero Poller behaves like a closed one. It must not be
// copied.
//
// All methods except Wake must be called from one goroutine at a time, the
// loop's.
type Poller struct {
	kernel kernel

	// The kernel fills raw; the caller gets events. minBatch <= len(raw) <=
	// maxBatch, and cap(events) >= len(raw), so that translating a batch never
	// allocates.
	raw    []rawEvent
	events []Event

	// While state is open, pending is set from the moment a Wake finds it clear
	// until a Wait has consumed the event of that Wake's signal, and at no
	// other time. So signals and events come in pairs: no wake is lost, none is
	// seen twice, and a Wake that finds pending set has nothing to do.
	state atomic.Uint32

	// closing orders signal and close: the wake descriptor is never written to
	// after it was closed, when another file may have its number. The open bit
	// is cleared only under closing.
	closing sync.Mutex
}

// NewPoller opens a Poller: two descriptors on Linux, three on the BSDs,
// all close-on-exec. It fails when the process or the system is out of
// descriptors (EMFILE, ENFILE) or memory. The caller must close it: the garbage
// collector does not.
func NewPoller() (*Poller, error) {
	p := &Poller{
		raw:    make([]rawEvent, minBatch),
		events: make([]Event, 0, minBatch),
	}
	if err := p.kernel.open(); err != nil {
		return nil, fmt.Errorf("eddy: cannot open a poller%s: %w", hint(err), err)
	}
	p.state.Store(open)
	return p, nil
}

// Add registers fd for both directions and for the end of its input. Call it
// once for each descriptor: events are edge-triggered (see the package comment)
// and need no re-arming. The next Wait reports what is ready already. Events
// carry token, which should never be used for another registration;
// math.MaxUint64 is the Poller's own and refused (EINVAL).
//
// The errors wrap the kernel's: EBADF if fd is not open, EPERM if it is a file
// that is always ready, EEXIST if it is registered already, ENOSPC or ENOMEM if
// the kernel will watch no more. On a closed Poller the error wraps
// os.ErrClosed.
//
// It costs one syscall, about a microsecond; two on kqueue.
func (p *Poller) Add(fd int, token uint64) error {
	if !p.isOpen() {
		return closedError("Add")
	}
	if token == wakeToken {
		return fmt.Errorf("eddy: cannot add fd %d: token %#x is the poller's own; choose another: %w", fd, token, syscall.EINVAL)
	}
	if !validFd(fd) {
		return fdError("add", fd, syscall.EBADF)
	}
	if err := p.kernel.add(fd, token); err != nil {
		return fdError("add", fd, err)
	}
	return nil
}

// Remove ends the registration of fd: no later Wait reports it. Events for fd
// in the batch that the last Wait returned stay there. Remove must be called
// before fd is closed, or epoll may go on reporting a duplicate of it.
//
// The errors wrap the kernel's: ENOENT if fd is not registered, EBADF (epoll) if
// it is not open. On a closed Poller the error wraps os.ErrClosed.
//
// It costs one syscall.
func (p *Poller) Remove(fd int) error {
	if !p.isOpen() {
		return closedError("Remove")
	}
	if !validFd(fd) {
		return fdError("remove", fd, syscall.EBADF)
	}
	if err := p.kernel.remove(fd); err != nil {
		return fdError("remove", fd, err)
	}
	return nil
}

// Wait returns what has become ready since the last call, at most one Event for
// each descriptor. If nothing is ready it sleeps: for timeout at most, forever
// if timeout is negative, and not at all if it is 0. It returns early, perhaps
// with no event and without an error, after a Wake or a signal; a caller with a
// deadline compares it with the clock. Sleeps are rounded up to what the kernel
// can express: a nanosecond, a millisecond before Linux 5.11, and on NetBSD,
// OpenBSD and DragonFly up to two ticks more, 20 ms by default. Very long ones
// may be cut to a few days.
//
// The slice belongs to the Poller and is valid until the next Wait. A batch
// holds at most a few thousand events; the rest comes with the next Wait.
//
// On a closed Poller the error wraps os.ErrClosed. After any other error the
// Poller can no longer be used.
//
// It costs one syscall and allocates only to grow the batch, a handful of times
// in a Poller's life. With a timeout of 0 on Linux the syscall bypasses the Go
// scheduler, because it cannot block.
func (p *Poller) Wait(timeout time.Duration) ([]Event, error) {
	if !p.isOpen() {
		return nil, closedError("Wait")
	}
	n, err := p.kernel.poll(p.raw, timeout)
	if err != nil {
		return nil, fmt.Errorf("eddy: cannot wait for events; did other code close the poller's descriptor? %w", err)
	}
	events, woken := p.kernel.translate(p.raw[:n], p.events[:0])
	if woken {
		// Not earlier: a Wake that still finds pending set relies on this
		// return.
		p.state.And(^pending)
	}
	if n == len(p.raw) {
		p.grow()
	}
	return events, nil
}

// Wake makes the current Wait, or else the next one, return at once. What the
// caller did before Wake is visible after that Wait. Several wakes may end a
// single Wait; none is lost.
//
// It may be called from any goroutine at any time. After Close it does nothing
// and returns an error that wraps os.ErrClosed. After any other error the
// Poller can no longer be used.
//
// It never blocks on the kernel. It costs one syscall, or a few nanoseconds
// while an earlier wake is still pending.
func (p *Poller) Wake() error {
	// Or comes first, without a test: it orders what came before this Wake even
	// if another one signals.
	before := p.state.Or(pending)
	if before&open == 0 {
		return closedError("Wake")
	}
	if before&pending != 0 {
		return nil
	}
	return p.signal()
}

// signal makes the kernel report a wake, unless the Poller was closed
// meanwhile.
func (p *Poller) signal() error {
	p.closing.Lock()
	defer p.closing.Unlock()
	if !p.isOpen() {
		return closedError("Wake")
	}
	if err := p.kernel.signal(); err != nil {
		p.state.And(^pending)
		return fmt.Errorf("eddy: cannot wake the poller; did other code close its descriptor? %w", err)
	}
	return nil
}

// Close releases the Poller's descriptors; those that were added stay open. A
// second Close does nothing. No Wait may be in progress: to close from another
// goroutine, Wake the loop and let the loop call Close.
func (p *Poller) Close() error {
	p.closing.Lock()
	defer p.closing.Unlock()
	if p.state.And(^open)&open == 0 {
		return nil
	}
	if err := p.kernel.close(); err != nil {
		return fmt.Errorf("eddy: cannot close the poller: %w", err)
	}
	return nil
}

func (p *Poller) isOpen() bool { return p.state.Load()&open != 0 }

// grow doubles the batch. It keeps the old arrays, because the caller still
// holds a batch.
func (p *Poller) grow() {
	if size := 2 * len(p.raw); size <= maxBatch {
		p.raw = make([]rawEvent, size)
		p.events = make([]Event, 0, size)
	}
}

// check returns an error if an invariant of the batch is broken. Tests check
// that of the wake protocol: signals and events come in pairs.
func (p *Poller) check() error {
	if n := len(p.raw); n < minBatch || n > maxBatch {
		return fmt.Errorf("eddy: batch of %d events, want %d to %d", n, minBatch, maxBatch)
	}
	if cap(p.events) < len(p.raw) {
		return fmt.Errorf("eddy: room for %d events, the kernel may report %d", cap(p.events), len(p.raw))
	}
	return nil
}

// validFd rejects numbers that the kernel's int would truncate to another
// descriptor.
func validFd(fd int) bool { return fd >= 0 && int(int32(fd)) == fd }

func closedError(method string) error {
	return fmt.Errorf("eddy: %s on a closed Poller: %w", method, os.ErrClosed)
}

func fdError(verb string, fd int, err error) error {
	return fmt.Errorf("eddy: cannot %s fd %d%s: %w", verb, fd, hint(err), err)
}

// hint returns what an errno means here and what to do about it.
func hint(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	switch errno {
	case syscall.EPERM:
		return ": this kind of file (a regular file, a directory) is always ready and cannot be polled; use it from a goroutine of its own"
	case syscall.EEXIST:
		return ": it is registered already; Remove it first"
	case syscall.ENOENT:
		return ": it is not registered"
	case syscall.EBADF:
		return ": it is not open; Remove a descriptor before closing it"
	case syscall.ENOSPC:
		return ": the user's limit of watched descriptors is reached; raise fs.epoll.max_user_watches"
	case syscall.EMFILE:
		return ": the process is out of descriptors; close some or raise RLIMIT_NOFILE"
	case syscall.ENFILE:
		return ": the system is out of descriptors"
	}
	return ""
}
