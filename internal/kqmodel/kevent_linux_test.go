package kqmodel

import (
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"golang.org/x/sys/unix"
)

// A test for each sentence of the manual that the model implements.

// "EV_CLEAR: After the event is retrieved by the user, its state is reset."
func TestClear(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
	if events := ready(t, kq); len(events) != 1 || events[0].Filter != EVFILT_WRITE {
		t.Errorf("at first: %+v", events)
	}
	quiet(t, kq)
	write(t, b, "x")
	if e := one(t, kq, EVFILT_READ); e.Data != 1 || e.Flags&EV_EOF != 0 || int(e.Ident) != a {
		t.Errorf("a byte: %+v", e)
	}
	quiet(t, kq) // although it is unread
	write(t, b, "y")
	if e := one(t, kq, EVFILT_READ); e.Data != 2 {
		t.Errorf("another: %+v", e)
	}
	quiet(t, kq)
	fill(a)
	quiet(t, kq)
	for read(b) > 0 {
	}
	one(t, kq, EVFILT_WRITE)
	quiet(t, kq)
}

// Without EV_CLEAR an event is reported as long as it holds.
func TestLevel(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	add(t, kq, a, 0, EVFILT_READ)
	quiet(t, kq)
	write(t, b, "x")
	for range 3 {
		if events := ready(t, kq); len(events) != 1 {
			t.Fatalf("%+v", events)
		}
	}
	read(a)
	quiet(t, kq)
	write(t, b, "x")
	one(t, kq, EVFILT_READ)
}

// "The filter is also run when the user attempts to retrieve the kevent".
func TestConditionGone(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ)
	write(t, b, "x")
	read(a)
	quiet(t, kq)
}

// "Multiple events which trigger the filter do not result in multiple kevents".
func TestCoalescing(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ)
	for range 5 {
		write(t, b, "x")
	}
	if events := ready(t, kq); len(events) != 1 || events[0].Data != 5 {
		t.Errorf("%+v", events)
	}
	quiet(t, kq)
}

// An event waits for room in the list, and is triggered again.
func TestCoalescingBehindASmallList(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	c, d := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ)
	add(t, kq, c, EV_CLEAR, EVFILT_READ)
	write(t, b, "x")
	write(t, d, "x")
	var events [1]Kevent_t
	if n, err := Kevent(kq, nil, events[:], &unix.Timespec{}); n != 1 || int(events[0].Ident) != a {
		t.Fatal(n, err, events)
	}
	write(t, d, "y")
	if events := ready(t, kq); len(events) != 1 || int(events[0].Ident) != c || events[0].Data != 2 {
		t.Errorf("%+v", events)
	}
	quiet(t, kq)
}

// Events that do not fit stay, in order.
func TestSmallList(t *testing.T) {
	kq := newQueue(t)
	var want []uint64
	for range 5 {
		a, b := pair(t)
		add(t, kq, a, EV_CLEAR, EVFILT_READ)
		write(t, b, "x")
		want = append(want, uint64(a))
	}
	var got []uint64
	for range 5 {
		var events [1]Kevent_t
		if n, err := Kevent(kq, nil, events[:], &unix.Timespec{}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		got = append(got, events[0].Ident)
	}
	if !slices.Equal(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
	quiet(t, kq)
}

// "EV_EOF ... It is possible for EOF to be returned while there is still data
// pending in the socket buffer."
func TestReadEOF(t *testing.T) {
	for name, connect := range map[string]func(*testing.T) (int, int){"unix": pair, "tcp": tcpPair} {
		kq := newQueue(t)
		a, b := connect(t)
		add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
		ready(t, kq)
		write(t, b, "last")
		unix.Shutdown(b, unix.SHUT_WR)
		e := one(t, kq, EVFILT_READ)
		for e.Flags&EV_EOF == 0 {
			e = one(t, kq, EVFILT_READ)
		}
		if e.Data != 4 || e.Fflags != 0 {
			t.Errorf("%s: %+v", name, e)
		}
		quiet(t, kq) // it is still writable, which was reported
	}
}

// A socket whose own writing side is shut down reports EV_EOF for WRITE.
func TestWriteEOF(t *testing.T) {
	for name, connect := range map[string]func(*testing.T) (int, int){"unix": pair, "tcp": tcpPair} {
		kq := newQueue(t)
		a, _ := connect(t)
		add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
		ready(t, kq)
		unix.Shutdown(a, unix.SHUT_WR)
		if name == "tcp" { // a late acknowledgement is a separate event
			const finWait2 = 5 // in net/tcp_states.h
			testkit.Eventually(t, "the acknowledgement", func() bool {
				info, err := unix.GetsockoptTCPInfo(a, unix.IPPROTO_TCP, unix.TCP_INFO)
				return err != nil || info.State == finWait2
			})
		}
		if events := ready(t, kq); len(events) != 1 || events[0].Filter != EVFILT_WRITE || events[0].Flags&EV_EOF == 0 {
			t.Errorf("%s: %+v", name, events)
		}
		quiet(t, kq)
	}
}

// The end of a Unix socket's peer is reported to the writer first.
func TestPeerCloses(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
	ready(t, kq)
	unix.Close(b)
	events := ready(t, kq)
	if len(events) != 2 || events[0].Filter != EVFILT_WRITE || events[1].Filter != EVFILT_READ ||
		events[0].Flags&events[1].Flags&EV_EOF == 0 {
		t.Errorf("%+v", events)
	}
}

// "returns the socket error (if any) in fflags", which SO_ERROR still has.
func TestSocketError(t *testing.T) {
	kq := newQueue(t)
	a, b := tcpPair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
	ready(t, kq)
	unix.SetsockoptLinger(b, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(b)
	wantError(t, kq, a, unix.ECONNRESET)

	l, addr := tcpListen(t)
	unix.Close(l)
	c := tcpSocket(t)
	unix.SetNonblock(c, true)
	if err := unix.Connect(c, addr); err != unix.EINPROGRESS {
		t.Skip("refused at once")
	}
	add(t, kq, c, EV_CLEAR, EVFILT_WRITE)
	wantError(t, kq, c, unix.ECONNREFUSED)
}

func wantError(t *testing.T, kq, fd int, want unix.Errno) {
	t.Helper()
	if e := one(t, kq, EVFILT_WRITE); int(e.Ident) != fd || e.Flags&EV_EOF == 0 || e.Fflags != uint32(want) {
		t.Errorf("%+v, want %v", e, want)
	}
	if got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); unix.Errno(got) != want || err != nil {
		t.Errorf("SO_ERROR is %v, %v", unix.Errno(got), err)
	}
}

func TestListener(t *testing.T) {
	kq := newQueue(t)
	l, addr := tcpListen(t)
	add(t, kq, l, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
	quiet(t, kq)
	for range 2 {
		if err := unix.Connect(tcpSocket(t), addr); err != nil {
			t.Fatal(err)
		}
		if e := one(t, kq, EVFILT_READ); e.Flags != 0 {
			t.Errorf("%+v", e)
		}
		quiet(t, kq)
	}
}

func TestPipe(t *testing.T) {
	kq := newQueue(t)
	var p, q [2]int
	if err := unix.Pipe(p[:]); err != nil {
		t.Fatal(err)
	}
	if err := unix.Pipe(q[:]); err != nil {
		t.Fatal(err)
	}
	closeLater(t, p[0], p[1], q[0], q[1])
	add(t, kq, p[0], EV_CLEAR, EVFILT_READ)
	add(t, kq, p[1], EV_CLEAR, EVFILT_WRITE)
	write(t, p[1], "x")
	unix.Close(p[1])
	if e := one(t, kq, EVFILT_READ); e.Flags&EV_EOF == 0 || e.Data != 1 || e.Fflags != 0 {
		t.Errorf("the writer has closed: %+v", e)
	}

	unix.SetNonblock(q[1], true)
	fill(q[1])
	add(t, kq, q[1], EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
	quiet(t, kq)
	unix.Close(q[0])
	if e := one(t, kq, EVFILT_WRITE); e.Flags&EV_EOF == 0 {
		t.Errorf("the reader has closed: %+v", e)
	}
	submit(kq, ev(q[1], EVFILT_WRITE, EV_DELETE))
	if err := submit(kq, ev(q[1], EVFILT_WRITE, EV_ADD)); err != unix.EPIPE {
		t.Errorf("added after that: %v", err)
	}
}

// "EV_DELETE", of what is there, of what is not, and of what is pending.
func TestDelete(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
	ready(t, kq)
	write(t, b, "x")
	var events [1]Kevent_t
	Kevent(kq, nil, events[:0], nil)
	for _, want := range []error{nil, unix.ENOENT} {
		if err := submitOnce(kq, ev(a, EVFILT_READ, EV_DELETE)); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
	quiet(t, kq)
	if err := submitOnce(kq, ev(a, EVFILT_WRITE, EV_DELETE)); err != nil {
		t.Errorf("the other filter: %v", err)
	}
	if err := submitOnce(kq, ev(a, EVFILT_READ, EV_ENABLE)); err != unix.ENOENT {
		t.Errorf("enabling nothing: %v", err)
	}
	unix.Close(b)
	if err := submitOnce(kq, ev(b, EVFILT_READ, EV_DELETE)); err != unix.EBADF {
		t.Errorf("a closed descriptor: %v", err)
	}
	if err := submitOnce(kq, ev(b, EVFILT_READ, EV_ADD)); err != unix.EBADF {
		t.Errorf("a closed descriptor: %v", err)
	}
}

// submitOnce makes the change once, interrupted or not.
func submitOnce(kq int, change Kevent_t) error {
	_, err := Kevent(kq, []Kevent_t{change}, nil, nil)
	if err == unix.EINTR {
		return nil
	}
	return err
}

// Deleting a filter removes its pending event, wherever that is.
func TestDeletePending(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	c, d := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ)
	add(t, kq, c, EV_CLEAR, EVFILT_READ)
	write(t, b, "x")
	write(t, d, "x")
	var events [1]Kevent_t
	if n, _ := Kevent(kq, nil, events[:], &unix.Timespec{}); n != 1 || int(events[0].Ident) != a {
		t.Fatalf("%d, %+v", n, events)
	}
	submitOnce(kq, ev(c, EVFILT_READ, EV_DELETE))
	quiet(t, kq)
	add(t, kq, c, EV_CLEAR, EVFILT_READ) // reports the present state
	one(t, kq, EVFILT_READ)
}

// "Re-adding an existing event will modify the parameters of the original event,
// and not result in a duplicate entry."
func TestAddAgain(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	write(t, b, "x")
	for range 2 {
		add(t, kq, a, EV_CLEAR, EVFILT_READ)
		add(t, kq, a, EV_CLEAR, EVFILT_READ)
		if events := ready(t, kq); len(events) != 1 {
			t.Errorf("%+v", events)
		}
	}
	submitOnce(kq, ev(a, EVFILT_READ, EV_ENABLE))
	ready(t, kq)
	quiet(t, kq) // still EV_CLEAR
}

// "Calling close(2) on a file descriptor will remove any kevents that reference
// the descriptor", whatever other descriptors the file has.
func TestClose(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	c, d := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
	ready(t, kq)
	dup, _ := unix.Dup(a)
	closeLater(t, dup)
	write(t, b, "pending")
	unix.Close(a)
	write(t, b, "x")
	quiet(t, kq)

	if err := unix.Dup2(c, a); err != nil {
		t.Fatal(err)
	}
	closeLater(t, a)
	write(t, b, "to the dup")
	write(t, d, "to the new owner")
	quiet(t, kq) // it was not added
	if err := submitOnce(kq, ev(a, EVFILT_READ, EV_DELETE)); err != unix.ENOENT {
		t.Errorf("the new owner's filter: %v", err)
	}
	add(t, kq, a, EV_CLEAR, EVFILT_READ)
	if e := one(t, kq, EVFILT_READ); e.Data != int64(len("to the new owner")) {
		t.Errorf("%+v", e)
	}
	write(t, b, "to the dup")
	quiet(t, kq)
}

// The next owner of a number has no filter, even if nothing has detected that
// the first one is gone.
func TestNextOwner(t *testing.T) {
	kq := newQueue(t)
	a, _ := pair(t)
	c, _ := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ)
	dup, _ := unix.Dup(a)
	closeLater(t, dup)
	if err := unix.Dup2(c, a); err != nil { // closes it
		t.Fatal(err)
	}
	closeLater(t, a)
	for _, flags := range []int{EV_ENABLE, EV_DELETE} {
		if err := submitOnce(kq, ev(a, EVFILT_READ, flags)); err != unix.ENOENT {
			t.Errorf("flags %#x: %v", flags, err)
		}
	}
}

// "If an error occurs ... and there is enough room in the eventlist, then the
// event will be placed in the eventlist with EV_ERROR set in flags and the system
// error in data. Otherwise, -1 will be returned": what precedes it was applied.
func TestChangeErrors(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	changes := []Kevent_t{ev(a, EVFILT_READ, EV_ADD|EV_CLEAR), ev(b, EVFILT_READ, EV_DELETE), ev(b, EVFILT_WRITE, EV_ADD)}
	if n, err := Kevent(kq, changes, nil, nil); n != -1 || err != unix.ENOENT {
		t.Errorf("without room: %d, %v", n, err)
	}
	if err := submitOnce(kq, ev(a, EVFILT_READ, EV_DELETE)); err != nil {
		t.Errorf("what comes before the error: %v", err)
	}
	if err := submitOnce(kq, ev(b, EVFILT_WRITE, EV_DELETE)); err != unix.ENOENT {
		t.Errorf("what comes after it: %v", err)
	}
	var events [1]Kevent_t
	n, err := Kevent(kq, changes, events[:], nil)
	if n != 1 || err != nil || events[0].Flags != EV_ERROR || unix.Errno(events[0].Data) != unix.ENOENT || int(events[0].Ident) != b {
		t.Errorf("with room: %d, %v, %+v", n, err, events)
	}
	if err := submitOnce(kq, ev(b, EVFILT_WRITE, EV_DELETE)); err != nil {
		t.Errorf("what comes after it: %v", err)
	}
}

// "When kevent() call fails with EINTR error, all changes in the changelist have
// been applied."
func TestInterruptedChanges(t *testing.T) {
	kq := newQueue(t)
	a, _ := pair(t)
	interrupted := 0
	for i := range 16 {
		flags := EV_ADD
		if i%2 == 1 {
			flags = EV_DELETE
		}
		switch _, err := Kevent(kq, []Kevent_t{ev(a, EVFILT_READ, flags)}, nil, nil); err {
		case unix.EINTR:
			interrupted++
		case nil:
		default:
			t.Fatalf("call %d: %v", i, err) // as if the one before had not been applied
		}
	}
	if interrupted < 7 || interrupted > 9 {
		t.Errorf("%d of 16 calls were interrupted", interrupted)
	}
}

// "If nevents is zero, kevent() will return immediately even if there is a timeout
// specified". "If timeout is a non-NULL pointer, it specifies a maximum interval
// to wait for an event".
func TestTimeout(t *testing.T) {
	kq := newQueue(t)
	start := time.Now()
	hour := unix.NsecToTimespec(int64(time.Hour))
	if n, err := Kevent(kq, nil, nil, &hour); n != 0 || err != nil || time.Since(start) > time.Minute {
		t.Errorf("no room: %d, %v", n, err)
	}
	var events [1]Kevent_t
	for _, d := range []time.Duration{0, 1, time.Millisecond} {
		ts := unix.NsecToTimespec(int64(d))
		start := time.Now()
		n, err := Kevent(kq, nil, events[:], &ts)
		if n > 0 || err != nil && err != unix.EINTR || err == nil && time.Since(start) < d {
			t.Errorf("%v: %d, %v after %v", d, n, err, time.Since(start))
		}
	}
	for _, ts := range []unix.Timespec{{Sec: 100_000_001}, {Sec: -1}, {Nsec: -1}, {Nsec: 1e9}} {
		if _, err := Kevent(kq, nil, events[:], &ts); err != unix.EINVAL {
			t.Errorf("%+v: %v", ts, err)
		}
	}
}

// "If timeout is a NULL pointer, kevent() waits indefinitely": for data, and for
// what another goroutine adds meanwhile.
func TestSleepEnds(t *testing.T) {
	kq := newQueue(t)
	a, b := pair(t)
	add(t, kq, a, EV_CLEAR, EVFILT_READ)
	for _, wake := range []func(){
		func() { unix.Write(b, []byte("x")) },
		func() { submit(kq, ev(b, EVFILT_WRITE, EV_ADD|EV_CLEAR)) },
	} {
		time.AfterFunc(time.Millisecond, wake)
		for {
			var events [4]Kevent_t
			n, err := Kevent(kq, nil, events[:], nil)
			if err == unix.EINTR {
				continue
			}
			if n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			break
		}
	}
}

// A kqueue can be polled for reading, but not for writing.
func TestKqueueOfKqueues(t *testing.T) {
	outer, inner := newQueue(t), newQueue(t)
	a, b := pair(t)
	add(t, outer, inner, EV_CLEAR, EVFILT_READ)
	add(t, inner, a, EV_CLEAR, EVFILT_READ)
	if err := submit(outer, ev(inner, EVFILT_WRITE, EV_ADD)); err != unix.EINVAL {
		t.Errorf("%v", err)
	}
	quiet(t, outer)
	write(t, b, "x")
	if e := one(t, outer, EVFILT_READ); int(e.Ident) != inner {
		t.Errorf("%+v", e)
	}
	one(t, inner, EVFILT_READ)
	quiet(t, outer)
}

// "EVFILT_PROC ... NOTE_EXIT".
func TestProcess(t *testing.T) {
	kq := newQueue(t)
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	change := ev(cmd.Process.Pid, EVFILT_PROC, EV_ADD|EV_ONESHOT)
	change.Fflags = NOTE_EXIT
	if err := submit(kq, change); err != nil {
		t.Fatal(err)
	}
	quiet(t, kq)
	in.Close()
	if e := one(t, kq, EVFILT_PROC); int(e.Ident) != cmd.Process.Pid || e.Fflags != NOTE_EXIT {
		t.Errorf("%+v", e)
	}
	quiet(t, kq)
	if err := submitOnce(kq, change); err != unix.ESRCH { // a zombie
		t.Errorf("a zombie: %v", err)
	}
	cmd.Wait()
	if err := submitOnce(kq, change); err != unix.ESRCH {
		t.Errorf("none: %v", err)
	}
}

func TestClosedQueue(t *testing.T) {
	kq, err := Kqueue()
	if err != nil {
		t.Fatal(err)
	}
	if err := Close(kq); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := Kevent(kq, nil, make([]Kevent_t, 1), nil); err != unix.EBADF {
		t.Errorf("Kevent: %v", err)
	}
	if err := Close(kq); err != unix.EBADF {
		t.Errorf("second Close: %v", err)
	}
}

// The model panics for everything that it leaves out.
func TestNotModelled(t *testing.T) {
	kq := newQueue(t)
	a, _ := pair(t)
	for _, c := range []Kevent_t{ev(a, EVFILT_READ, EV_ADD|0x8), ev(a, -3, EV_ADD)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was taken", c)
				}
			}()
			Kevent(kq, []Kevent_t{c}, nil, nil)
		}()
	}
}
