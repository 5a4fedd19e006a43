//go:build !kqueue_model

package eddy

import (
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Every combination of epoll's bits satisfies the contract of Readiness.
func TestEpollBits(t *testing.T) {
	bits := []struct {
		event uint32
		ready Readiness
	}{
		{unix.EPOLLIN, Readable},
		{unix.EPOLLOUT, Writable},
		{unix.EPOLLRDHUP, ReadClosed | Readable},
		{unix.EPOLLHUP, Hangup | Readable | Writable},
		{unix.EPOLLERR, Failed | Readable | Writable},
	}
	for set := 1; set < 1<<len(bits); set++ {
		var events uint32
		var want Readiness
		for i, bit := range bits {
			if set&(1<<i) != 0 {
				events |= bit.event
				want |= bit.ready
			}
		}
		if got := readiness(events); got != want || !implied(got) {
			t.Errorf("events %#x are %v, want %v", events, got, want)
		}
	}
}

// A duplicate keeps the registration alive after close: such events carry the
// token of the registration, and Remove can no longer end it.
func TestEpollOutlivesClose(t *testing.T) {
	p := newPoller(t)
	a, peer := pair(t)
	dup := a.dup()
	add(t, p, a, 1)
	settle(t, p)
	a.close()
	peer.send("x")
	await(t, p, 1, Readable)
	if err := p.Remove(a.fd); !errors.Is(err, unix.EBADF) {
		t.Errorf("Remove after close: %v", err)
	}
	dup.close()
	peer.close()
	quiet(t, p)
}

func checkBackend(*Poller) error { return nil }

func ownFds(p *Poller) (queue int, wake []int) {
	return p.kernel.epfd, []int{p.kernel.wakeFd}
}

// signals returns how often the wake was signalled since the last call: the
// eventfd counts, because the poller never reads it.
func signals(t *testing.T, p *Poller) uint64 {
	t.Helper()
	var buf [8]byte
	if n, err := unix.Read(p.kernel.wakeFd, buf[:]); err == unix.EAGAIN {
		return 0
	} else if n != len(buf) || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	return binary.NativeEndian.Uint64(buf[:])
}

func TestWakesCoalesceToOneSyscall(t *testing.T) {
	p := newPoller(t)
	for range 1000 {
		p.Wake()
	}
	if n := signals(t, p); n != 1 {
		t.Errorf("1000 wakes made %d signals", n)
	}
}

// A wake stays pending while its event is behind a full batch.
func TestWakeStaysPending(t *testing.T) {
	p := newPoller(t)
	manyReady(t, p, 2*minBatch)
	p.Wake()
	if n := len(next(t, p, 0)); n != minBatch {
		t.Fatalf("%d events, want a full batch", n)
	}
	p.Wake()
	if n := signals(t, p); n != 1 {
		t.Errorf("%d signals, want 1", n)
	}
}

// Signals and events come in pairs, even when wakers and the loop run
// concurrently.
func TestSignalsPairWithEvents(t *testing.T) {
	const wakers, enough = 4, 5000
	p := newPoller(t)
	var stop atomic.Bool
	var running sync.WaitGroup
	for range wakers {
		running.Go(func() {
			for !stop.Load() {
				p.Wake()
			}
		})
	}
	// Wait does not return whether it was woken, so this is its body.
	woken := func() bool {
		n, _ := p.kernel.poll(p.raw, 0)
		_, woken := p.kernel.translate(p.raw[:n], nil)
		if woken {
			p.state.And(^pending)
		}
		return woken
	}
	var seen uint64
	for seen < enough {
		if woken() {
			seen++
		}
	}
	stop.Store(true)
	running.Wait()
	for woken() {
		seen++
	}
	if n := signals(t, p); n != seen {
		t.Errorf("%d signals, %d events", n, seen)
	}
}

func TestSignalEndsSleepInMilliseconds(t *testing.T) {
	signalled(t)
	p := newPoller(t)
	p.kernel.millis = true
	wakeReturns(t, p)
}

// Before Linux 5.11, and under some seccomp filters.
func TestMillisecondFallback(t *testing.T) {
	p := newPoller(t)
	p.kernel.millis = true
	sleeps(t, p, 20, 100*time.Microsecond)
	sleeps(t, p, 20, time.Millisecond+1)
	for _, d := range []time.Duration{-1, 30 * 24 * time.Hour, math.MaxInt64} {
		p.Wake()
		wakeBounded(t, p, d)
	}
}

// If epoll_pwait2 is missing (ENOSYS) or forbidden (EPERM), Wait works without
// an error. A seccomp filter simulates that kernel, on one thread that ends
// with its goroutine.
func TestFallbackIsLatched(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ENOSYS, unix.EPERM} {
		p := newPoller(t)
		done := make(chan error)
		var took time.Duration
		go func() {
			runtime.LockOSThread() // and never unlocked
			err := forbid(unix.SYS_EPOLL_PWAIT2, errno)
			if err == nil {
				start := time.Now()
				_, err = p.Wait(100 * time.Microsecond)
				took = time.Since(start)
			}
			done <- err
		}()
		if err := <-done; errors.Is(err, errNoSeccomp) {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
		if !p.kernel.millis || took < 100*time.Microsecond {
			t.Errorf("%v: latched %v, slept %v", errno, p.kernel.millis, took)
		}
	}
}

var errNoSeccomp = errors.New("cannot install a seccomp filter")

// forbid makes syscall number nr fail with errno on this thread.
func forbid(nr uint32, errno unix.Errno) error {
	const retErrno, retAllow = 0x00050000, 0x7fff0000 // SECCOMP_RET_*, linux/seccomp.h
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: nr},
		{Code: unix.BPF_RET | unix.BPF_K, K: retErrno | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: retAllow},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return errors.Join(errNoSeccomp, err)
	}
	_, _, failed := unix.Syscall(unix.SYS_PRCTL, unix.PR_SET_SECCOMP,
		unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)))
	if failed != 0 {
		return errors.Join(errNoSeccomp, failed)
	}
	return nil
}

func TestMillis(t *testing.T) {
	for timeout, want := range map[time.Duration]int{
		math.MinInt64:         -1,
		-1:                    -1,
		1:                     1,
		time.Millisecond - 1:  1,
		time.Millisecond:      1,
		time.Millisecond + 1:  2,
		math.MaxInt32 * 1e6:   math.MaxInt32,
		math.MaxInt32*1e6 + 1: math.MaxInt32,
		math.MaxInt64:         math.MaxInt32,
	} {
		if got := millis(timeout); got != want {
			t.Errorf("%v is %d ms, want %d", timeout, got, want)
		}
	}
}

// If descriptors run out at either step, nothing stays open.
func TestNewPollerWithoutDescriptors(t *testing.T) {
	var saved unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &saved); err != nil {
		t.Fatal(err)
	}
	before := openFds()
	for spare := range 2 {
		_, err := newPollerWithin(t, saved, spare)
		if !errors.Is(err, unix.EMFILE) || !strings.Contains(err.Error(), "RLIMIT_NOFILE") {
			t.Errorf("with %d to spare: %v", spare, err)
		}
		if after := openFds(); after != before {
			t.Errorf("with %d to spare: %d descriptors open, %d before", spare, after, before)
		}
	}
}

// newPollerWithin calls NewPoller while the process may open at most spare more
// descriptors.
func newPollerWithin(t *testing.T, saved unix.Rlimit, spare int) (*Poller, error) {
	t.Helper()
	free, err := unix.Dup(0) // the lowest free number
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(free)
	limit := saved
	limit.Cur = uint64(free + spare)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &saved)
	return NewPoller()
}
