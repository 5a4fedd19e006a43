package eddy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
)

// One suite that any backend passes. It asserts the bits that the contract
// promises and tolerates those it allows: a kernel may repeat the whole state
// with any change, and may report one change in two batches.

// patience is how long a test waits for something that must happen.
const patience = testkit.Patience

// A desc is a descriptor under test; it is closed at the end of the test unless
// the test has closed it.
type desc struct {
	t    testing.TB
	fd   int
	open bool
}

func newDesc(t testing.TB, fd int) *desc {
	d := &desc{t, fd, true}
	t.Cleanup(d.close)
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desc) close() {
	if d.open {
		d.open = false
		unix.Close(d.fd)
	}
}

func (d *desc) send(s string) {
	d.t.Helper()
	if n, err := unix.Write(d.fd, []byte(s)); n != len(s) || err != nil {
		d.t.Fatalf("write to fd %d: %d, %v", d.fd, n, err)
	}
}

// fill writes until there is no room.
func (d *desc) fill() {
	d.t.Helper()
	buf := make([]byte, 1<<16)
	for {
		if _, err := unix.Write(d.fd, buf); err == unix.EAGAIN {
			return
		} else if err != nil {
			d.t.Fatalf("write to fd %d: %v", d.fd, err)
		}
	}
}

// drain reads until there is no more data, and returns how much there was.
func (d *desc) drain() (total int) {
	d.t.Helper()
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.Read(d.fd, buf)
		if n <= 0 {
			if err != nil && err != unix.EAGAIN {
				d.t.Fatalf("read from fd %d: %v", d.fd, err)
			}
			return total
		}
		total += n
	}
}

// dup returns another number for the same open file.
func (d *desc) dup() *desc {
	d.t.Helper()
	fd, err := unix.Dup(d.fd)
	if err != nil {
		d.t.Fatal(err)
	}
	return newDesc(d.t, fd)
}

// pair returns two connected stream sockets.
func pair(t testing.TB) (a, b *desc) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	return newDesc(t, fds[0]), newDesc(t, fds[1])
}

func pipe(t testing.TB) (read, write *desc) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	return newDesc(t, fds[0]), newDesc(t, fds[1])
}

func tcpSocket(t testing.TB) *desc {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	return newDesc(t, fd)
}

func tcpListen(t testing.TB) (*desc, unix.Sockaddr) {
	t.Helper()
	l := tcpSocket(t)
	if err := unix.Bind(l.fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(l.fd, 8); err != nil {
		t.Fatal(err)
	}
	addr, err := unix.Getsockname(l.fd)
	if err != nil {
		t.Fatal(err)
	}
	return l, addr
}

// tcpPair returns two ends of a TCP connection over loopback.
func tcpPair(t testing.TB) (client, server *desc) {
	t.Helper()
	l, addr := tcpListen(t)
	p := newPoller(t)
	add(t, p, l, 1)
	client = tcpSocket(t)
	if err := unix.Connect(client.fd, addr); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	await(t, p, 1, Readable)
	fd, _, err := unix.Accept(l.fd)
	if err != nil {
		t.Fatal(err)
	}
	l.close()
	return client, newDesc(t, fd)
}

// newPoller returns a Poller that is closed at the end of the test. Then as
// many descriptors must be open as before.
func newPoller(t testing.TB) *Poller {
	t.Helper()
	before := openFds()
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	own := openFds() - before
	t.Cleanup(func() {
		before := openFds()
		wasOpen := p.isOpen()
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if gone := before - openFds(); wasOpen && gone != own {
			t.Errorf("Close released %d descriptors of %d", gone, own)
		}
	})
	return p
}

// openFds counts the process's descriptors, or returns 0 where there is no /proc.
func openFds() int {
	names, _ := os.ReadDir("/proc/self/fd")
	return len(names)
}

func add(t testing.TB, p *Poller, d *desc, token uint64) {
	t.Helper()
	if err := p.Add(d.fd, token); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, p *Poller, d *desc) {
	t.Helper()
	if err := p.Remove(d.fd); err != nil {
		t.Fatal(err)
	}
}

// next is Wait, and checks the invariants of every batch.
func next(t testing.TB, p *Poller, timeout time.Duration) []Event {
	t.Helper()
	events, err := p.Wait(timeout)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.check(), checkBackend(p)); err != nil {
		t.Fatal(err)
	}
	seen := make(map[uint64]bool)
	for _, e := range events {
		if seen[e.Token] {
			t.Fatalf("token %d twice in %v", e.Token, events)
		}
		seen[e.Token] = true
		if !implied(e.Ready) {
			t.Fatalf("%v: not closed under implication, or empty", e)
		}
	}
	return events
}

func implied(r Readiness) bool {
	if r&(ReadClosed|Urgent) != 0 && r&Readable == 0 {
		return false
	}
	if r&(Hangup|Failed) != 0 && r&(Readable|Writable) != Readable|Writable {
		return false
	}
	return r != 0 && r < 1<<6
}

// await waits until token has been reported with all of want, in one batch or
// several, and returns all bits reported for it.
func await(t testing.TB, p *Poller, token uint64, want Readiness) (got Readiness) {
	t.Helper()
	for deadline := time.Now().Add(patience); got&want != want; {
		if time.Now().After(deadline) {
			t.Fatalf("token %d is %v, want %v", token, got, want)
		}
		got |= of(next(t, p, 10*time.Millisecond), token)
	}
	return got
}

func of(events []Event, token uint64) (r Readiness) {
	for _, e := range events {
		if e.Token == token {
			r |= e.Ready
		}
	}
	return r
}

// settle consumes pending events, so that later ones are new.
func settle(t testing.TB, p *Poller) {
	t.Helper()
	for len(next(t, p, 0)) > 0 {
	}
}

func quiet(t testing.TB, p *Poller) {
	t.Helper()
	if events := next(t, p, 0); len(events) > 0 && !repeats() {
		t.Fatalf("nothing happened, yet %v", events)
	}
}

func TestNewDescriptorIsReported(t *testing.T) {
	p := newPoller(t)
	a, b := pair(t)
	b.send("before Add")
	add(t, p, a, 7)
	await(t, p, 7, Readable|Writable)
	quiet(t, p)
}

func TestTokenIsKeptWhole(t *testing.T) {
	p := newPoller(t)
	for _, token := range []uint64{0, 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 63, wakeToken - 1, 0x0123456789abcdef} {
		a, _ := pair(t)
		add(t, p, a, token)
		await(t, p, token, Writable)
		remove(t, p, a)
	}
}

func TestReadableIsAnEdge(t *testing.T) {
	p := newPoller(t)
	a, b := pair(t)
	add(t, p, a, 1)
	settle(t, p)

	b.send("x")
	if got := await(t, p, 1, Readable); got&(ReadClosed|Hangup|Failed) != 0 {
		t.Errorf("data made it %v", got)
	}
	quiet(t, p) // although it is unread
	b.send("y")
	await(t, p, 1, Readable)
	if n := a.drain(); n != 2 {
		t.Errorf("read %d bytes, want 2", n)
	}
	quiet(t, p)
}

func TestWritableIsAnEdge(t *testing.T) {
	p := newPoller(t)
	a, b := pair(t)
	add(t, p, a, 1)
	a.fill()
	settle(t, p)
	quiet(t, p)
	b.drain()
	await(t, p, 1, Writable)
	quiet(t, p)
}

func TestListenerIsReadable(t *testing.T) {
	p := newPoller(t)
	l, addr := tcpListen(t)
	add(t, p, l, 1)
	settle(t, p)
	c := tcpSocket(t)
	if err := unix.Connect(c.fd, addr); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	add(t, p, c, 2)
	if got := await(t, p, 2, Writable); got&(ReadClosed|Hangup|Failed) != 0 {
		t.Errorf("a connected socket is %v", got)
	}
	// Accepted after the connector's event, which may have come in the same
	// batch.
	fd, _, err := unix.Accept(l.fd)
	if err != nil {
		t.Fatal(err)
	}
	newDesc(t, fd)

	settle(t, p)
	c2 := tcpSocket(t)
	if err := unix.Connect(c2.fd, addr); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	await(t, p, 1, Readable)
}

func TestHalfClose(t *testing.T) {
	for name, connect := range map[string]func(testing.TB) (a, b *desc){"unix": pair, "tcp": tcpPair} {
		t.Run(name, func(t *testing.T) {
			p := newPoller(t)
			a, b := connect(t)
			add(t, p, a, 1)
			settle(t, p)
			b.send("last words")
			if err := unix.Shutdown(b.fd, unix.SHUT_WR); err != nil {
				t.Fatal(err)
			}
			if got := await(t, p, 1, Readable|ReadClosed); got&(Hangup|Failed) != 0 {
				t.Errorf("half closed is %v", got)
			}
			if n := a.drain(); n != len("last words") {
				t.Errorf("read %d bytes", n)
			}
			a.send("heard") // the other direction is still there
		})
	}
}

// A socket whose own writing side is shut down can still read.
func TestOwnShutdown(t *testing.T) {
	for name, connect := range map[string]func(testing.TB) (a, b *desc){"unix": pair, "tcp": tcpPair} {
		t.Run(name, func(t *testing.T) {
			p := newPoller(t)
			a, b := connect(t)
			add(t, p, a, 1)
			settle(t, p)
			if err := unix.Shutdown(a.fd, unix.SHUT_WR); err != nil {
				t.Fatal(err)
			}
			b.send("x")
			if got := await(t, p, 1, Readable); got&(ReadClosed|Hangup|Failed) != 0 {
				t.Errorf("after its own shutdown it is %v", got)
			}
			if err := unix.Shutdown(b.fd, unix.SHUT_WR); err != nil {
				t.Fatal(err)
			}
			await(t, p, 1, Readable|Writable|ReadClosed|Hangup)
		})
	}
}

func TestFullClose(t *testing.T) {
	p := newPoller(t)
	a, b := pair(t)
	add(t, p, a, 1)
	settle(t, p)
	b.close()
	await(t, p, 1, Readable|Writable|ReadClosed|Hangup)
	quiet(t, p)
}

// A TCP peer that closes has sent only a FIN: it might still read.
func TestTCPCloseIsHalf(t *testing.T) {
	p := newPoller(t)
	a, b := tcpPair(t)
	add(t, p, a, 1)
	settle(t, p)
	b.close()
	if got := await(t, p, 1, Readable|ReadClosed); got&(Hangup|Failed) != 0 {
		t.Errorf("after a FIN it is %v", got)
	}
}

func TestReset(t *testing.T) {
	p := newPoller(t)
	a, b := tcpPair(t)
	add(t, p, a, 1)
	settle(t, p)
	if err := unix.SetsockoptLinger(b.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		t.Fatal(err)
	}
	b.close()
	await(t, p, 1, Readable|Writable|ReadClosed|Hangup|Failed)
	wantSocketError(t, a, unix.ECONNRESET)
}

func TestConnectRefused(t *testing.T) {
	p := newPoller(t)
	l, addr := tcpListen(t)
	l.close()
	c := tcpSocket(t)
	if err := unix.Connect(c.fd, addr); err == unix.ECONNREFUSED {
		t.Skip("refused at once: nothing is pending")
	} else if err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	add(t, p, c, 1)
	await(t, p, 1, Readable|Writable|Failed)
	wantSocketError(t, c, unix.ECONNREFUSED)
}

func wantSocketError(t *testing.T, d *desc, want syscall.Errno) {
	t.Helper()
	got, err := unix.GetsockoptInt(d.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || syscall.Errno(got) != want {
		t.Errorf("SO_ERROR is %v, %v; want %v", syscall.Errno(got), err, want)
	}
}

func TestPipe(t *testing.T) {
	t.Run("writer closes", func(t *testing.T) {
		p := newPoller(t)
		r, w := pipe(t)
		add(t, p, r, 1)
		settle(t, p)
		w.send("x")
		await(t, p, 1, Readable)
		w.close()
		if got := await(t, p, 1, Readable); got&(ReadClosed|Hangup) == 0 {
			t.Errorf("end of input is %v", got)
		}
	})
	t.Run("reader closes", func(t *testing.T) {
		p := newPoller(t)
		r, w := pipe(t)
		w.fill()
		add(t, p, w, 1)
		settle(t, p)
		r.close()
		await(t, p, 1, Writable) // a writer that waits for room gets EPIPE
	})
	t.Run("reader has closed", func(t *testing.T) {
		p := newPoller(t)
		r, w := pipe(t)
		r.close()
		add(t, p, w, 1)
		await(t, p, 1, Writable)
		quiet(t, p)
	})
	t.Run("reader has closed a full pipe", func(t *testing.T) {
		p := newPoller(t)
		r, w := pipe(t)
		w.fill()
		r.close()
		add(t, p, w, 1)
		await(t, p, 1, Writable)
	})
	t.Run("writer has closed", func(t *testing.T) {
		p := newPoller(t)
		r, w := pipe(t)
		w.send("x")
		w.close()
		add(t, p, r, 1)
		if got := await(t, p, 1, Readable); got&(ReadClosed|Hangup) == 0 {
			t.Errorf("end of input is %v", got)
		}
	})
}

// Readiness found when a descriptor was added ends with its registration.
func TestEndedPipeIsForgotten(t *testing.T) {
	p := newPoller(t)
	for _, forget := range []func(w *desc){
		func(w *desc) { remove(t, p, w) },
		func(w *desc) { w.close() },
		func(w *desc) { // for another file of its number, which is not added
			a, _ := pair(t)
			moveTo(t, a, w)
		},
	} {
		r, w := pipe(t)
		r.close()
		add(t, p, w, 1)
		forget(w)
		if events := next(t, p, 0); len(events) > 0 {
			t.Errorf("events %v", events)
		}
	}
}

// The next owner of the number gets its own reports.
func TestEndedPipesSuccessor(t *testing.T) {
	p := newPoller(t)
	r, w := pipe(t)
	r.close()
	add(t, p, w, 1)
	remove(t, p, w)
	a, _ := pair(t)
	successor := moveTo(t, a, w)
	add(t, p, successor, 2)
	if events := next(t, p, patience); of(events, 1) != 0 || of(events, 2) != Writable {
		t.Errorf("events %v", events)
	}
}

// A poller can be polled like any other descriptor.
func TestQueueInQueue(t *testing.T) {
	outer, inner := newPoller(t), newPoller(t)
	queue, _ := ownFds(inner)
	if err := outer.Add(queue, 1); err != nil {
		t.Fatal(err)
	}
	quiet(t, outer)
	a, _ := pair(t)
	add(t, inner, a, 2)
	await(t, outer, 1, Readable)
	await(t, inner, 2, Writable)
	if err := outer.Remove(queue); err != nil {
		t.Error(err)
	}
}

// Some kqueue libraries use number 0 themselves.
func TestDescriptorZero(t *testing.T) {
	saved, err := unix.Dup(0)
	if err != nil {
		t.Skip("no descriptor 0")
	}
	defer unix.Close(saved)
	defer unix.Dup2(saved, 0)
	p := newPoller(t)
	a, b := pair(t)
	if err := unix.Dup2(a.fd, 0); err != nil {
		t.Fatal(err)
	}
	zero := &desc{t, 0, true}
	add(t, p, zero, 1)
	settle(t, p)
	b.send("x")
	await(t, p, 1, Readable)
	remove(t, p, zero)
}

func TestRemove(t *testing.T) {
	p := newPoller(t)
	a, aPeer := pair(t)
	b, bPeer := pair(t)
	add(t, p, a, 1)
	add(t, p, b, 2)
	settle(t, p)

	aPeer.send("in the kernel before Remove")
	remove(t, p, a)
	aPeer.send("after it")
	bPeer.send("the kernel is alive")
	if events := next(t, p, patience); of(events, 1) != 0 || of(events, 2)&Readable == 0 {
		t.Errorf("events %v", events)
	}
	quiet(t, p)

	add(t, p, a, 3)
	if events := next(t, p, patience); of(events, 1) != 0 || of(events, 3)&Readable == 0 {
		t.Errorf("after adding again: %v", events)
	}
}

// moveTo moves d's file to the number of old, which it closes.
func moveTo(t *testing.T, d, old *desc) *desc {
	t.Helper()
	if err := unix.Dup2(d.fd, old.fd); err != nil {
		t.Fatal(err)
	}
	old.open = false
	return newDesc(t, old.fd)
}

// Two descriptors are ready in one batch; the handler of the first closes the
// second, whose number is reused at once.
func TestReuseWithinBatch(t *testing.T) {
	p := newPoller(t)
	a, aPeer := pair(t)
	b, bPeer := pair(t)
	c, cPeer := pair(t)
	add(t, p, a, 1)
	add(t, p, b, 2)
	settle(t, p)
	aPeer.send("x")
	bPeer.send("x")
	events := next(t, p, patience)
	if of(events, 1)&Readable == 0 || of(events, 2)&Readable == 0 {
		t.Fatalf("events %v", events)
	}
	bPeer.send("y") // one more event in the kernel
	remove(t, p, b)
	b = moveTo(t, c, b)
	add(t, p, b, 3)
	if of(events, 3) != 0 || of(events, 2) == 0 {
		t.Errorf("the batch changed: %v", events)
	}
	if events := next(t, p, patience); of(events, 2) != 0 || of(events, 3) != Writable {
		t.Errorf("the next batch: %v", events)
	}
	cPeer.send("z")
	if events := next(t, p, patience); of(events, 2) != 0 || of(events, 3)&Readable == 0 {
		t.Errorf("the batch after: %v", events)
	}
}

// The number is closed without Remove while a duplicate keeps its file open.
// Epoll goes on reporting that file, with its own token; kqueue forgets it.
func TestReuseWithoutRemove(t *testing.T) {
	p := newPoller(t)
	a, aPeer := pair(t)
	c, cPeer := pair(t)
	a.dup()
	add(t, p, a, 1)
	settle(t, p)
	a = moveTo(t, c, a)
	add(t, p, a, 2)
	settle(t, p)
	aPeer.send("to the former owner")
	if events := next(t, p, 0); of(events, 2)&Readable != 0 {
		t.Errorf("the former owner's event is the new one's: %v", events)
	}
	cPeer.send("x")
	if events := next(t, p, patience); of(events, 1) != 0 || of(events, 2)&Readable == 0 {
		t.Errorf("events %v", events)
	}
}

func TestErrors(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	closed, _ := pair(t)
	closed.close()
	tests := []struct {
		name string
		err  error
		want error
	}{
		{"add a closed descriptor", p.Add(closed.fd, 1), unix.EBADF},
		{"add -1", p.Add(-1, 1), unix.EBADF},
		{"add the wake's token", p.Add(a.fd, wakeToken), unix.EINVAL},
		{"remove what was never added", p.Remove(a.fd), unix.ENOENT},
		{"remove -1", p.Remove(-1), unix.EBADF},
	}
	for _, tt := range tests {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.err, tt.want)
		}
	}
	add(t, p, a, 1)
	remove(t, p, a)
	if err := p.Remove(a.fd); !errors.Is(err, unix.ENOENT) {
		t.Errorf("second Remove: %v", err)
	}
	quiet(t, p) // a failed Add registers nothing
}

// Files that are always ready can't be polled, not even on a kqueue.
func TestFilesAreRefused(t *testing.T) {
	p := newPoller(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "regular")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, dir} {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		file := newDesc(t, fd)
		if err := p.Add(file.fd, 1); !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "cannot be polled") {
			t.Errorf("%s: %v", path, err)
		}
		if err := p.Remove(file.fd); err == nil {
			t.Errorf("%s was added", path)
		}
	}
}

// A second Add is refused, and the first registration stays.
func TestSecondAddIsRefused(t *testing.T) {
	p := newPoller(t)
	a, peer := pair(t)
	add(t, p, a, 1)
	if err := p.Add(a.fd, 2); !errors.Is(err, unix.EEXIST) || !strings.Contains(err.Error(), "Remove it first") {
		t.Errorf("added twice: %v", err)
	}
	peer.send("x")
	if events := next(t, p, patience); of(events, 1)&Readable == 0 || of(events, 2) != 0 {
		t.Errorf("the first registration is gone: %v", events)
	}
}

// A number beyond the kernel's int must not be truncated to an open one.
func TestHugeDescriptor(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	huge := uint64(1)<<32 + uint64(a.fd)
	if uint64(int(huge)) != huge {
		t.Skip("int is 32 bits")
	}
	if err := p.Add(int(huge), 1); !errors.Is(err, unix.EBADF) {
		t.Errorf("Add: %v", err)
	}
	if err := p.Remove(int(huge)); !errors.Is(err, unix.EBADF) {
		t.Errorf("Remove: %v", err)
	}
	quiet(t, p)
}

func TestClose(t *testing.T) {
	p := newPoller(t)
	a, _ := pair(t)
	add(t, p, a, 1)
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantClosed(t, p, a)
}

// Other code has closed the poller's descriptors. Every call returns an error,
// no Wake counts as pending, and Close still closes.
func TestDescriptorsClosedByOthers(t *testing.T) {
	p := newPoller(t)
	p.kernel.close()
	_, waitErr := p.Wait(0)
	_, sleepErr := p.Wait(time.Millisecond)
	for name, err := range map[string]error{
		"Wait(0)": waitErr, "Wait": sleepErr, "Wake": p.Wake(), "Wake again": p.Wake(), "Close": p.Close(),
	} {
		if !errors.Is(err, unix.EBADF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestZeroPollerIsClosed(t *testing.T) {
	var p Poller
	a, _ := pair(t)
	wantClosed(t, &p, a)
	if err := p.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func wantClosed(t *testing.T, p *Poller, a *desc) {
	t.Helper()
	_, waitErr := p.Wait(-1)
	for name, err := range map[string]error{
		"Add": p.Add(a.fd, 1), "Remove": p.Remove(a.fd), "Wait": waitErr, "Wake": p.Wake(), "Wake again": p.Wake(),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

// A child process inherits none of the poller's descriptors, and neither
// signalling nor draining can block.
func TestDescriptorFlags(t *testing.T) {
	p := newPoller(t)
	queue, wake := ownFds(p)
	for _, fd := range append(wake, queue) {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("fd %d is not close-on-exec: %#x, %v", fd, flags, err)
		}
	}
	for _, fd := range wake {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("fd %d can block: %#x, %v", fd, flags, err)
		}
	}
}

func TestNoDescriptorLeak(t *testing.T) {
	before := openFds()
	for range 100 {
		p, err := NewPoller()
		if err != nil {
			t.Fatal(err)
		}
		p.Wake()
		p.Close()
	}
	if after := openFds(); after != before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

func TestReadinessString(t *testing.T) {
	for r, want := range map[Readiness]string{
		0:                                 "0",
		Readable:                          "Readable",
		Readable | ReadClosed:             "Readable|ReadClosed",
		Writable | Hangup | Failed | 1<<6: "Writable|Hangup|Failed|0x40",
	} {
		if got := r.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
