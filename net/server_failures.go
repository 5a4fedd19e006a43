package net

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// failures counts a listener's failures to accept since it last accepted.
type failures struct {
	v      *serving
	addr   string
	row    int           // how many in a row
	pause  time.Duration // the latest after an unknown failure
	paused bool          // for lack of resources, and logged
}

const (
	// acceptPause is the pause when resources for another connection are
	// lacking.
	acceptPause = 100 * time.Millisecond

	// The pause after an unknown failure grows from minPause to maxPause.
	minPause = 5 * time.Millisecond
	maxPause = time.Second

	// After maxRow failures in a row that concern single peers there is a pause
	// too, so that they do not take all of the loop's time.
	maxRow  = 100
	rowRest = 10 * time.Millisecond
)

// over resets f. It is called when a connection was accepted.
func (f *failures) over() { f.row, f.pause, f.paused = 0, 0, false }

// goOn logs a failure that does not end accepting, and pauses. Its error is
// that of the pause.
func (f *failures) goOn(ctx context.Context, err error) error {
	f.row++
	switch {
	case isStarved(err):
		if !f.paused {
			f.paused = true
			f.tell("net: accepting pauses: out of resources for another connection", err)
		}
		return reactor.Sleep(ctx, acceptPause)
	case isPeers(err):
		f.tell("net: a connection was lost before it was accepted", err)
		if f.row%maxRow == 0 {
			return reactor.Sleep(ctx, rowRest)
		}
		return nil
	}
	f.pause = min(max(2*f.pause, minPause), maxPause)
	f.tell("net: accepting failed, and goes on after a pause", err)
	return reactor.Sleep(ctx, f.pause)
}

func (f *failures) tell(what string, err error) {
	f.v.log.tell(slog.LevelWarn, what, keyOf(err), "addr", f.addr, "error", err)
}

// isGone reports whether a listener that failed with err will never accept
// again. These are the errors in accept(2) that concern the descriptor, except
// if they come from a system call on the accepted connection.
func isGone(err error) bool {
	for _, end := range []error{ErrClosed, os.ErrClosed, io.EOF, io.ErrClosedPipe, os.ErrDeadlineExceeded} {
		if errors.Is(err, end) {
			return true
		}
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok && call.Syscall != "accept" && call.Syscall != "accept4" {
		return false
	}
	return isErrno(err, syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK)
}

// isStarved reports whether err is a lack of descriptors or memory.
func isStarved(err error) bool {
	return isErrno(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ENOSPC) // epoll's limit of registrations
}

// isPeers reports whether err concerns a single connection that is gone: the
// errors that accept(2) says to treat like EAGAIN, and those that BSDs return
// for peers that left.
func isPeers(err error) bool {
	return isErrno(err, syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EHOSTDOWN, syscall.EHOSTUNREACH,
		syscall.ENETDOWN, syscall.ENETUNREACH, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPERM,
		syscall.EPROTO, syscall.ETIMEDOUT) || isErrno(err, peersAlso...)
}

func isErrno(err error, these ...syscall.Errno) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && slices.Contains(these, errno)
}
