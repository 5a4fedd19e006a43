package reactor

import (
	"context"
	"time"
)

// MoveOnAfter calls f as [Timeout] does, but that the time is over is no error:
// the caller just moves on. It reports whether f was cut short, which is to say
// that f returned the error of the scope's own deadline, as it is or wrapped;
// err is nil then. All else that f returns is returned in err: also a nil of an
// f that was done although its time was over, and the error of a cancellation
// from around it. (trio's move_on_after.)
func MoveOnAfter(ctx context.Context, d time.Duration, f func(ctx context.Context) error) (cut bool, err error) {
	if f == nil {
		panic("reactor: MoveOnAfter with a nil function")
	}
	return moveOn(ctx, "MoveOnAfter", func(ctx context.Context, s *CancelScope) error {
		s.SetTimeout(d)
		return f(ctx)
	})
}

// MoveOn calls f as [Scope] does, but absorbs the scope's own cancellation, by
// its Cancel or its deadline, as [MoveOnAfter] does. So code deep inside can end
// the region and no error has to be passed out of it. (trio's CancelScope.)
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
