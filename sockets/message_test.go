package sockets_test

import (
	"bytes"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// datagram returns a datagram socket that is bound to addr and closed after the
// test.
func datagram(t *testing.T, family int, addr unix.Sockaddr) int {
	t.Helper()
	fd, err := sockets.System{}.Socket(family, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Skipf("socket: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, addr); err != nil {
		t.Skipf("bind: %v", err)
	}
	return fd
}

// receiveAll receives into ms until want messages have come.
func receiveAll(t *testing.T, fd int, ms []sockets.Message, want int) {
	t.Helper()
	for deadline := time.Now().Add(testkit.Patience); want > 0; {
		n, errno := sockets.System{}.Receive(fd, ms[:want], 0)
		if errno != 0 && errno != syscall.EAGAIN && errno != syscall.EINTR {
			t.Fatalf("Receive: %v", errno)
		}
		ms, want = ms[n:], want-n
		if time.Now().After(deadline) {
			t.Fatalf("%d messages did not come", want)
		}
	}
}

func localPort(t *testing.T, fd int) netip.AddrPort {
	t.Helper()
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	t.Fatalf("an address of type %T", sa)
	return netip.AddrPort{}
}

func TestMessagesCarryBytesAndAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		family int
		addr   unix.Sockaddr
	}{
		"IPv4": {unix.AF_INET, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}},
		"IPv6": {unix.AF_INET6, &unix.SockaddrInet6{Addr: netip.IPv6Loopback().As16()}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := datagram(t, c.family, c.addr), datagram(t, c.family, c.addr)
			from, to := localPort(t, a), localPort(t, b)
			out := []sockets.Message{
				{Data: []byte("one"), Addr: to},
				{Addr: to}, // a datagram may be empty
				{Data: bytes.Repeat([]byte("x"), 100), Addr: to},
			}
			n, errno := sockets.System{}.Send(a, out, 0)
			if n != 3 || errno != 0 {
				t.Fatalf("Send: %d, %v", n, errno)
			}
			in := make([]sockets.Message, 4)
			for i := range in {
				in[i].Data = make([]byte, 10)
				in[i].N = -1
			}
			receiveAll(t, b, in, 3)
			for i, m := range in[:3] {
				if want := out[i].Data[:min(10, len(out[i].Data))]; !bytes.Equal(m.Data[:m.N], want) {
					t.Errorf("message %d is %q, want %q", i, m.Data[:m.N], want)
				}
				if out[i].N != len(out[i].Data) {
					t.Errorf("message %d: %d bytes sent", i, out[i].N)
				}
				if m.Addr != from || m.Path != "" {
					t.Errorf("message %d is from %v %q, want %v", i, m.Addr, m.Path, from)
				}
				if truncated := m.Flags&unix.MSG_TRUNC != 0; truncated != (i == 2) {
					t.Errorf("message %d: truncated is %v", i, truncated)
				}
			}
			if in[3].N != -1 {
				t.Error("Receive touched a message that it did not fill")
			}
			if n, errno := (sockets.System{}).Receive(b, in, 0); n != 0 || errno != syscall.EAGAIN {
				t.Errorf("Receive from an empty queue: %d, %v, want EAGAIN", n, errno)
			}
		})
	}
}

func TestManyMessagesGoInSeveralCalls(t *testing.T) {
	local := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	a, b := datagram(t, unix.AF_INET, local), datagram(t, unix.AF_INET, local)
	const total = 150
	out := make([]sockets.Message, total)
	for i := range out {
		out[i] = sockets.Message{Data: []byte{byte(i)}, Addr: localPort(t, b)}
	}
	for left := out; len(left) > 0; {
		n, errno := sockets.System{}.Send(a, left, 0)
		if n == 0 {
			t.Fatalf("Send: %v", errno)
		}
		left = left[n:]
	}
	in := make([]sockets.Message, total)
	for i := range in {
		in[i].Data = make([]byte, 2)
	}
	receiveAll(t, b, in, total)
	for i := range in {
		if in[i].N != 1 || in[i].Data[0] != byte(i) {
			t.Fatalf("message %d is % x", i, in[i].Data[:in[i].N])
		}
	}
}

func TestMessagesBetweenUnixPaths(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	a := datagram(t, unix.AF_UNIX, &unix.SockaddrUnix{Name: from})
	b := datagram(t, unix.AF_UNIX, &unix.SockaddrUnix{Name: to})
	out := []sockets.Message{{Data: []byte("hello"), Path: to}}
	if n, errno := (sockets.System{}).Send(a, out, 0); n != 1 {
		t.Fatalf("Send: %v", errno)
	}
	in := []sockets.Message{{Data: make([]byte, 10)}}
	receiveAll(t, b, in, 1)
	if in[0].Path != from || in[0].Addr.IsValid() || string(in[0].Data[:in[0].N]) != "hello" {
		t.Errorf("received %q from %q %v", in[0].Data[:in[0].N], in[0].Path, in[0].Addr)
	}
	out[0].Path = filepath.Join(dir, strings.Repeat("long", 50))
	if n, errno := (sockets.System{}).Send(a, out, 0); n != 0 || errno != unix.EINVAL && errno != unix.ENAMETOOLONG {
		t.Errorf("Send to a path that is too long: %d, %v", n, errno)
	}
	out[0].Path = filepath.Join(dir, "nobody")
	if n, errno := (sockets.System{}).Send(a, out, 0); n != 0 || errno != unix.ENOENT {
		t.Errorf("Send to a path where nobody is: %d, %v", n, errno)
	}
}

func TestDescriptorIsPassed(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	out := []sockets.Message{{Data: []byte("fd"), Control: unix.UnixRights(pair[0])}}
	if n, errno := (sockets.System{}).Send(pair[0], out, 0); n != 1 || out[0].NControl != len(out[0].Control) {
		t.Fatalf("Send: %d, %v", n, errno)
	}
	in := []sockets.Message{{Data: make([]byte, 10), Control: make([]byte, unix.CmsgSpace(4))}}
	receiveAll(t, pair[1], in, 1)
	cs, err := unix.ParseSocketControlMessage(in[0].Control[:in[0].NControl])
	if err != nil || len(cs) != 1 {
		t.Fatalf("control messages: %v, %v", cs, err)
	}
	fds, err := unix.ParseUnixRights(&cs[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("descriptors: %v, %v", fds, err)
	}
	unix.Close(fds[0])
}

func TestBuffersAreWrittenInOrder(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	var bufs [][]byte
	for i := range 100 {
		bufs = append(bufs, bytes.Repeat([]byte{byte(i)}, i%3))
	}
	n, errno := sockets.System{}.WriteBuffers(pair[0], bufs)
	if errno != 0 {
		t.Fatal(errno)
	}
	got := make([]byte, 200)
	m, err := unix.Read(pair[1], got)
	if err != nil || m != n || n == 0 || !bytes.HasPrefix(bytes.Join(bufs, nil), got[:m]) {
		t.Errorf("wrote %d, read %d, %v: % x", n, m, err, got[:m])
	}
}

func TestFileIsSent(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	file, err := unix.Open(filepath.Join(t.TempDir(), "f"), unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)
	if _, err := unix.Write(file, []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	n, errno := sockets.System{}.SendFile(pair[0], file, 4, 5)
	if errors.Is(errno, syscall.ENOSYS) {
		t.Skip("this system has no sendfile")
	}
	got := make([]byte, 20)
	m, err := unix.Read(pair[1], got)
	if errno != 0 || n != 5 || err != nil || string(got[:m]) != "45678" {
		t.Errorf("sent %d, %v; read %q, %v", n, errno, got[:m], err)
	}
	if n, errno := (sockets.System{}).SendFile(pair[0], file, 10, 5); n != 0 || errno != 0 {
		t.Errorf("at the end of the file: %d, %v", n, errno)
	}
}

func TestDupIsClosedOnExec(t *testing.T) {
	fd := datagram(t, unix.AF_INET, &unix.SockaddrInet4{})
	dup, err := sockets.System{}.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dup)
	if flags, err := unix.FcntlInt(uintptr(dup), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %x, %v: it would outlive an exec", flags, err)
	}
	if dup == fd {
		t.Error("Dup returned the descriptor itself")
	}
}
