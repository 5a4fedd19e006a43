package reactor

import (
	"fmt"
)

// A PanicError is what whoever awaits a task gets when it panicked.
type PanicError struct {
	Task  string // the task's name
	Value any    // what panic was called with
	Stack []byte // the task's stack, from the panic outwards
}

// Error returns the panic's value and the task's stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked: %v\n\n%s", e.Task, e.Value, e.Stack)
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
