package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// A CancelError is returned by an await whose scope was cancelled with a cause.
// errors.Is and errors.As match it with [context.Canceled] and with its cause.
type CancelError struct{ Cause error }

func (e *CancelError) Error() string { return context.Canceled.Error() + ": " + e.Cause.Error() }

func (e *CancelError) Is(target error) bool { return target == context.Canceled }

func (e *CancelError) Unwrap() error { return e.Cause }

// Cause returns why ctx is done, as [context.Cause] does for the standard
// library's contexts: the cause that the task or scope was cancelled with, or
// ctx.Err(). It is nil while ctx is not done, and may be called from anywhere.
func Cause(ctx context.Context) error { return core.Cause(ctx) }
