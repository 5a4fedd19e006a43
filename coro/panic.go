package coro

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is what a panic in a generator's body becomes for the call that
// drove it: that call panics with a *PanicError.
type PanicError struct {
	Value any    // what the body panicked with
	Stack []byte // the body's own stack, taken at the panic
}

// newPanicError must be called by the deferred function that recovered v, while
// the stack that panicked is still there. A panic that went through several
// generators keeps its value, and gathers their stacks, innermost first.
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
