package reactor

import "github.com/eddyio/eddy/reactor/core"

var (
	// ErrClosed is returned by operations on something that is closed, or is
	// closed while they wait.
	ErrClosed = core.ErrClosed

	// ErrSelf is returned to a task that waits for itself. If a task waits for
	// others that wait for it, its error wraps ErrSelf and names them. The
	// cycle is detected when a wait begins that would never end, unless a
	// deadline or a foreign context can end it.
	ErrSelf = core.ErrSelf

	// ErrNested is returned by Run if a task calls it: it would block the
	// task's own loop. The error of a Run or [Begin] called by a callback, or
	// on the goroutine of a [Guest], wraps it.
	ErrNested = core.ErrNested

	// ErrCutOff is the error of a task that still waited, or tried to wait,
	// when the grace time at the loop's end was over.
	ErrCutOff = core.ErrCutOff

	// ErrGoexit is the Value of the [PanicError] of a task that called
	// runtime.Goexit. It is an error like others: if it is not awaited, it is
	// reported, and the loop goes on.
	ErrGoexit = core.ErrGoexit

	// ErrSlow is the error in the [Report] of a step that took longer than
	// Options.SlowStep.
	ErrSlow = core.ErrSlow
)
