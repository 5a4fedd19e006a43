package core

import (
	"fmt"
	"reflect"
	"runtime"
)

// A TaskName is a copy of a task's name that can be formatted anywhere and at
// any time. It is very cheap to make.
type TaskName struct {
	ID    uint64
	given *string
	label string       // of a Runner that has a name
	of    fmt.Stringer // follows the label, if set
	kind  reflect.Type // of a Runner that has no name
	pc    uintptr      // of the task's function; 0 if that is not known
}

// A Labeled is a [Runner] with a name that can be formatted off the loop.
type Labeled interface {
	// Label returns a verb and its object, which must not change, or nil.
	Label() (verb string, of fmt.Stringer)
}

// A Serving is a [Runner] that calls a function of the user.
type Serving interface {
	// Function returns the user's function.
	Function() any
}

// Name returns t's name. The caller must be on the loop.
func (t *Task) Name() TaskName {
	n := TaskName{ID: uint64(t.id)}
	if e := t.scope.extra.Load(); e != nil {
		n.given = e.name.Load()
	}
	switch body := t.body.(type) {
	case nil:
	case Labeled:
		n.label, n.of = body.Label()
		n.pc = servedBy(body)
	case fmt.Stringer:
		if n.given == nil {
			n.label = body.String()
		}
		n.pc = servedBy(body)
	case Runner:
		n.kind = reflect.TypeOf(body)
		n.pc = servedBy(body)
	default:
		n.pc = reflect.ValueOf(body).Pointer()
	}
	return n
}

func servedBy(body any) uintptr {
	if s, ok := body.(Serving); ok {
		if f := reflect.ValueOf(s.Function()); f.Kind() == reflect.Func {
			return f.Pointer()
		}
	}
	return 0
}

// String returns the task's name as [Task.String] does.
func (n TaskName) String() string {
	if called := n.Called(); called != "" {
		return fmt.Sprintf("task %d (%s)", n.ID, called)
	}
	return fmt.Sprintf("task %d", n.ID)
}

// Called returns the name that was set for the task, or that of its Runner; ""
// if there is none.
func (n TaskName) Called() string {
	switch {
	case n.given != nil:
		return *n.given
	case n.of != nil:
		return n.label + " " + n.of.String()
	case n.label != "":
		return n.label
	case n.kind != nil:
		return n.kind.String()
	}
	return n.Function()
}

// Function returns the name of the task's function, with its package's last element;
// "" if unknown.
func (n TaskName) Function() string {
	if f := runtime.FuncForPC(n.pc); f != nil {
		return shortName(f.Name())
	}
	return ""
}

// Site returns where the code of the task's function begins; "" if unknown. For
// a function literal that is usually where the task is made.
func (n TaskName) Site() (file string, line int) {
	if f := runtime.FuncForPC(n.pc); f != nil {
		return f.FileLine(n.pc)
	}
	return "", 0
}

// PC returns the address of the task's function, for counting tasks by
// function; 0 if unknown.
func (n TaskName) PC() uintptr { return n.pc }
