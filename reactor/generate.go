package reactor

import (
	"context"
	"slices"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor/core"
)

// Generate returns an asynchronous generator: its body may await, under the ctx
// that it gets, which is derived from the given one. While the body is
// suspended, so is the task that drives it. Only one task can drive it at a
// time: another one gets [coro.ErrRunning]. Like any generator it should be
// closed or ranged over to its end; if it is still open when all tasks have
// ended, the loop closes it before Run returns. Generate and the generator's
// methods may be called by tasks of the loop.
//
// A Timeout, a Scope or a Group in the body applies only to the body, even if
// the body yields inside it. Operations of the body without a ctx, such as the
// methods of a net.Conn, obey the innermost of these; if there is none, the
// innermost scope of the driver.
//
//	for v, err := range reactor.Generate(ctx, body).All() { ... }
func Generate[Y, S, R any](ctx context.Context, f func(ctx context.Context, y *coro.Yielder[Y, S]) (R, error)) *coro.Generator[Y, S, R] {
	if f == nil {
		panic("reactor: Generate with a nil function")
	}
	return generate(ctx, "Generate", f)
}

func generate[Y, S, R any](ctx context.Context, op string, f func(ctx context.Context, y *coro.Yielder[Y, S]) (R, error)) *coro.Generator[Y, S, R] {
	l := Facade(core.Caller(ctx, op).Loop())
	open := &generator{}
	open.body.Init(&l.core)
	g := coro.New(func(y *coro.Yielder[Y, S]) (r R, err error) {
		l.generators = append(l.generators, open)
		open.body.Resumed()
		y.Switch(&open.body)
		defer func() {
			open.body.Suspending()
			l.generators = slices.DeleteFunc(l.generators, func(g *generator) bool { return g == open })
			if !l.core.Cutting() {
				return
			}
			if v := recover(); v != nil { // cut off: the driver gets an error, like that of a task it awaits
				err = l.core.Running().Caught(v)
			}
		}()
		return f(ctx, y)
	})
	open.close = g.Close
	return g
}

// A generator is an open generator: its body has begun and not ended.
type generator struct {
	body  core.Body
	close func() error
}

// GenerateSimple is [Generate] for a body that only yields: it receives no
// values and has no result. yield returns the error that the driver threw, or
// [coro.ErrClosed].
//
//	for v, err := range reactor.GenerateSimple(ctx, body).All() { ... }
func GenerateSimple[Y any](ctx context.Context, f func(ctx context.Context, yield func(Y) error) error) *coro.Simple[Y] {
	if f == nil {
		panic("reactor: GenerateSimple with a nil function")
	}
	return generate(ctx, "GenerateSimple", func(ctx context.Context, y *coro.Yielder[Y, struct{}]) (struct{}, error) {
		return struct{}{}, f(ctx, func(v Y) error {
			_, err := y.Yield(v)
			return err
		})
	})
}

// closeGenerators makes a task that closes the generators left open at the
// loop's end, and reports whether there were any. It closes each once.
func (l *Loop) closeGenerators() bool {
	open := l.generators
	if len(open) == 0 {
		return false
	}
	l.generators = nil
	spawn[struct{}](l.core.Root(), "closing generators", func(context.Context) error {
		for _, g := range open {
			if err := g.close(); err != nil {
				l.report(Report{Kind: TaskFailed, What: "a generator that was left open failed to close", Err: err})
			}
		}
		return nil
	}, nil).SetName("closes the generators that were left open")
	return true
}
