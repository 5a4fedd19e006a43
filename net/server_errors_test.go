package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// A handler's own error is logged, also if it is joined to one that only means
// the end of its connection.
func TestWhatAHandlersErrorMeans(t *testing.T) {
	flush := errors.New("flush failed")
	reset := &OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	vanished := &OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}
	noBackend := &OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ETIMEDOUT)}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.EOF, true},
		{reset, true},
		{fmt.Errorf("row 7: %w", reset), true},
		{vanished, true},
		{&OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EHOSTUNREACH)}, true},
		{&OpError{Op: "close", Err: os.NewSyscallError("shutdown", syscall.ENOTCONN)}, true},
		{&OpError{Op: "read", Err: os.NewSyscallError("read", syscall.EIO)}, false},
		{noBackend, false},
		{fmt.Errorf("the database: %w", noBackend), false},
		{&OpError{Op: "dial", Err: context.Canceled}, true},
		{&limitError{}, true},
		{&reactor.CancelError{Cause: flush}, true},
		{&reactor.TimeoutError{Err: context.DeadlineExceeded}, true},
		{errors.Join(io.EOF, reset), true},
		{flush, false},
		{errors.Join(io.EOF, flush), false},
		{errors.Join(flush, reset), false},
		{fmt.Errorf("row 7: %w", errors.Join(io.EOF, flush)), false},
		{fmt.Errorf("%w: %w", flush, io.EOF), false},
		{&reactor.PanicError{Value: io.EOF}, false},
		{fmt.Errorf("row 7: %w", &reactor.PanicError{Value: io.EOF}), false},
		{errors.Join(io.EOF, &reactor.PanicError{Value: io.EOF}), false},
	} {
		if got := isUnremarkable(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
