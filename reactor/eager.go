package reactor

import "context"

// GoNow is like [Go], but f starts at once: it runs until it first suspends, or
// ends, before GoNow returns. So an f that never suspends costs no turn of the
// loop. (asyncio's eager tasks.)
func GoNow(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
	if f == nil {
		panic("reactor: GoNow with a nil function")
	}
	return now[struct{}](ctx, "GoNow", f)
}

// AsyncNow is like [GoNow], for a function that returns a value.
func AsyncNow[T any](ctx context.Context, f func(ctx context.Context) (T, error)) *Task[T] {
	if f == nil {
		panic("reactor: AsyncNow with a nil function")
	}
	return now[T](ctx, "AsyncNow", f)
}

func now[T any](ctx context.Context, op string, body any) *Task[T] {
	t := newTask[T](ctx, op, body, nil)
	t.record().Loop().RunNow((*taskFunc[T])(t))
	return t
}
