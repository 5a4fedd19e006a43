package reactor

import (
	"context"
	"time"
)

// MoveOnAfter is like [Timeout], but the end of the time is not an error. cut
// reports whether f was cut short: f returned the error of the scope's own
// deadline, possibly wrapped; then err is nil. Otherwise err is what f
// returned: nil if f succeeded although its time was over, or the error of an
// outer cancellation. (trio's move_on_after.)
func MoveOnAfter(ctx context.Context, d time.Duration, f func(ctx context.Context) error) (cut bool, err error) {
	if f == nil {
		panic("reactor: MoveOnAfter with a nil function")
	}
	return moveOn(ctx, "MoveOnAfter", func(ctx context.Context, s *CancelScope) error {
		s.SetTimeout(d)
		return f(ctx)
	})
}

// MoveOn is like [Scope], but absorbs the scope's own cancellation, by its
// Cancel or its deadline, like [MoveOnAfter]. So code deep inside can end f
// without passing an error out of it. (trio's CancelScope.)
func MoveOn(ctx context.Context, f func(ctx context.Context, s *CancelScope) error) (cut bool, err error) {
	if f == nil {
		panic("reactor: MoveOn with a nil function")
	}
	return moveOn(ctx, "MoveOn", f)
}

func moveOn(ctx context.Context, op string, f func(ctx context.Context, s *CancelScope) error) (cut bool, err error) {
	err = inScope(ctx, op, func(inner context.Context, s *CancelScope) error {
		err := f(inner, s)
		cut = inner.Err() != nil && ctx.Err() == nil && s.scope.Echoes(err)
		return err
	})
	if cut {
		return true, nil
	}
	return false, err
}
