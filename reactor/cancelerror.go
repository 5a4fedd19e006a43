package reactor

import "context"

// A CancelError is what an await returns whose scope was cancelled for a
// stated cause. It is a [context.Canceled], and its cause too, for errors.Is
// and errors.As.
type CancelError struct{ Cause error }

func (e *CancelError) Error() string { return context.Canceled.Error() + ": " + e.Cause.Error() }

func (e *CancelError) Is(target error) bool { return target == context.Canceled }

func (e *CancelError) Unwrap() error { return e.Cause }
