package reactor

import "github.com/eddyio/eddy/reactor/core"

var (
	// ErrClosed is returned by what waits for something that gets closed, or is
	// closed already.
	ErrClosed = core.ErrClosed

	// ErrSelf is returned to a task that waits for itself, and, wrapped by an error
	// that names them, to one that waits for others which wait for it. It is found
	// when the wait begins that would never end, unless a deadline or a foreign
	// context ends it.
	ErrSelf = core.ErrSelf

	// ErrNested is returned by a Run that is called by a task: it would stop the
	// task's own loop. For errors.Is it is also the error of a Run or [Begin] that is
	// called by a callback, or on the goroutine of a [Guest].
	ErrNested = core.ErrNested

	// ErrCutOff is what a task ends with that was still waiting, or asking to wait,
	// when the grace time at the loop's end was over.
	ErrCutOff = core.ErrCutOff

	// ErrGoexit is the Value of the [PanicError] that a task fails with which called
	// runtime.Goexit. It is an error like others: if nobody awaits it, it is reported,
	// and the loop goes on.
	ErrGoexit = core.ErrGoexit

	// ErrSlow is in the [Report] of a step that took longer than Options.SlowStep.
	ErrSlow = core.ErrSlow
)
