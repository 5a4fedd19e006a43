package reactor

import (
	"fmt"
)

// A PanicError is the error of a task that panicked, or called runtime.Goexit.
type PanicError struct {
	Task  string // the task's name
	Value any    // the value passed to panic; or ErrGoexit
	Stack []byte // the task's stack at the panic
}

// Error returns the panic's value and the task's stack.
func (e *PanicError) Error() string {
	if e.Value == ErrGoexit {
		return fmt.Sprintf("%s called runtime.Goexit\n\n%s", e.Task, e.Stack)
	}
	return fmt.Sprintf("%s panicked: %v\n\n%s", e.Task, e.Value, e.Stack)
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
