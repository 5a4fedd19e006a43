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

// An error of a handler's own is logged, also when it is joined to one that only
// means the end of its connection.
func TestWhatAHandlersErrorMeans(t *testing.T) {
	flush := errors.New("flush failed")
	reset := &OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.EOF, true},
		{reset, true},
		{fmt.Errorf("row 7: %w", reset), true},
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
