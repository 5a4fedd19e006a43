package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// A refusing kernel fails to accept, some times, with an errno.
type refusing struct {
	sockets.System
	errno syscall.Errno
	times int
}

func (k *refusing) Accept(fd int) (int, unix.Sockaddr, error) {
	if k.times > 0 {
		k.times--
		return -1, nil, k.errno
	}
	return k.System.Accept(fd)
}

// TestAcceptErrnos: of all errnos, only those of accept(2) for a descriptor
// that is not a listening socket end a server. After any other it logs the
// error and goes on accepting.
func TestAcceptErrnos(t *testing.T) {
	gone := []syscall.Errno{syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK}
	silent := []syscall.Errno{syscall.EINTR, syscall.ECONNABORTED}
	for errno := syscall.Errno(1); errno < 140; errno++ {
		name := unix.ErrnoName(errno)
		if name == "" || errno == syscall.EAGAIN { // after which nothing happens until another comes
			continue
		}
		k := &refusing{errno: errno, times: 2}
		runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
			v := serve(t, ctx, &Server{}, echo)
			c := v.dial(t)
			if slices.Contains(gone, errno) {
				v.end(t, ctx, errno)
				return
			}
			if got := ask(t, ctx, c, "?"); got != "?" {
				t.Errorf("after %s: %q", name, got)
			}
			if log := v.log.settled(t, ctx); slices.Contains(silent, errno) != (log == "") || log != "" && !strings.Contains(log, errno.Error()) {
				t.Errorf("%s: logged %q", name, log)
			}
			c.Close()
			v.stop()
			v.end(t, ctx, nil)
		})
	}
}

// TestAcceptErrors: the errors of listeners, this package's and others'.
func TestAcceptErrors(t *testing.T) {
	call := func(name string, errno syscall.Errno) error {
		return &OpError{Op: "accept", Err: os.NewSyscallError(name, errno)}
	}
	type class struct{ gone, starved, peers bool }
	for _, c := range []struct {
		err  error
		want class
	}{
		{&OpError{Op: "accept", Err: ErrClosed}, class{gone: true}},
		{os.ErrClosed, class{gone: true}},
		{fmt.Errorf("the session is over: %w", io.EOF), class{gone: true}},
		{io.ErrClosedPipe, class{gone: true}},
		{&OpError{Op: "accept", Err: os.ErrDeadlineExceeded}, class{gone: true}},
		{call("accept", syscall.EBADF), class{gone: true}},
		{call("accept4", syscall.EINVAL), class{gone: true}},
		{syscall.ENOTSOCK, class{gone: true}},
		{call("getsockname", syscall.EINVAL), class{}}, // of a connection that is reset, on BSDs
		{call("setsockopt", syscall.EINVAL), class{}},
		{call("epoll_ctl", syscall.EBADF), class{}},
		{call("accept", syscall.EMFILE), class{starved: true}},
		{call("accept", syscall.ENFILE), class{starved: true}},
		{call("accept", syscall.ENOBUFS), class{starved: true}},
		{call("accept", syscall.ENOMEM), class{starved: true}},
		{fmt.Errorf("no room: %w", syscall.ENOSPC), class{starved: true}},
		{call("accept", syscall.EPROTO), class{peers: true}},
		{call("accept", syscall.EPERM), class{peers: true}},
		{call("accept", syscall.ETIMEDOUT), class{peers: true}},
		{call("accept", syscall.ENETDOWN), class{peers: true}},
		{call("accept", syscall.ENOPROTOOPT), class{peers: true}},
		{call("accept", syscall.EHOSTDOWN), class{peers: true}},
		{call("accept", syscall.EHOSTUNREACH), class{peers: true}},
		{call("accept", syscall.EOPNOTSUPP), class{peers: true}},
		{call("accept", syscall.ENETUNREACH), class{peers: true}},
		{call("accept", syscall.ECONNRESET), class{peers: true}},
		{call("accept", syscall.EFAULT), class{}},
		{call("accept", syscall.EIO), class{}},
		{io.ErrNoProgress, class{}},
		{errors.New("a proxy's header is missing"), class{}},
	} {
		if got := (class{isGone(c.err), isStarved(c.err), isPeers(c.err)}); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.err, got, c.want)
		}
	}
}

// TestAcceptPauses: the pause after unknown failures grows up to a bound, and
// starts small again after a successful accept; failures that concern single
// peers cause a pause only after many in a row.
func TestAcceptPauses(t *testing.T) {
	run(t, func(ctx context.Context) {
		log := &logged{}
		v := &serving{log: newSummary(ctx, log.logger())}
		defer v.log.end()
		f := failures{v: v}
		var pauses []time.Duration
		for range 3 {
			f.goOn(ctx, syscall.EIO)
			pauses = append(pauses, f.pause)
		}
		f.over()
		f.goOn(ctx, syscall.EIO)
		pauses = append(pauses, f.pause)
		if want := []time.Duration{minPause, 2 * minPause, 4 * minPause, minPause}; !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
		f.pause = maxPause
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := f.goOn(done, syscall.EIO); f.pause != maxPause || !errors.Is(err, context.Canceled) {
			t.Errorf("pause %v, %v", f.pause, err)
		}
		f.over()
		for i := range 2 * maxRow {
			if err := f.goOn(done, syscall.EPROTO); (err != nil) != ((i+1)%maxRow == 0) {
				t.Fatalf("after %d: %v", i+1, err)
			}
		}
	})
}
