package coro

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is a panic of a generator's body: the call that drove the body
// panics with a *PanicError.
type PanicError struct {
	Value any    // the value of the body's panic
	Stack []byte // the body's own stack, taken at the panic
}

// newPanicError must be called by the deferred function that recovered v, while
// the panicking stack still exists. A panic that passes through several
// generators keeps its value and collects their stacks, innermost first.
func newPanicError(v any) *PanicError {
	stack := debug.Stack()
	if inner, ok := v.(*PanicError); ok {
		stack = fmt.Appendf(nil, "%s\ndriven by:\n%s", inner.Stack, stack)
		v = inner.Value
	}
	return &PanicError{Value: v, Stack: stack}
}

func (p *PanicError) Error() string {
	return fmt.Sprintf("coro: panic in a generator's body: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns Value if it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}
