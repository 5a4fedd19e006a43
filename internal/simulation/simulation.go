// Package simulation defines the contract between package reactor, which runs a
// loop, and package reactortest, which simulates hosts and a network. A loop
// with a [Simulator] in its options asks it wherever the kernel, the system's
// clock, other threads or chance would otherwise decide.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/sockets"
)

// A Simulator takes the place of the system. Unless a method says otherwise, it is
// called on the loop's thread only.
type Simulator interface {
	Readiness
	Clock
	Threads
	Chance
	Observer

	// HostOfFD returns the host of a descriptor, or any host if it is not open.
	HostOfFD(fd int) Host
}

// Readiness reports which sockets are ready. Its methods are those of eddy.Poller, and
// Wait returns ErrIdle if nothing will ever happen.
type Readiness interface {
	Add(fd int, token uint64) error
	Remove(fd int) error
	Wait(timeout time.Duration) ([]eddy.Event, error)
	Wake() error
	Close() error
}

// A Clock is the simulator's virtual clock.
type Clock interface {
	// Now returns the loop's time. Any goroutine may call it.
	Now() time.Duration

	// Turn is called as a turn of the loop begins. An error ends the loop.
	Turn() error
}

// Threads decides what may happen outside the loop's thread.
type Threads interface {
	// Attach is called once, before the loop's first turn. outside returns how many
	// goroutines work for tasks, which wait for their results, and reports whether
	// anything else outside the simulation may wake a task.
	Attach(outside func() (underWay int, possible bool))

	// Strict reports whether only the simulator may decide: then ToThread calls its
	// function in place, and other goroutines are refused.
	Strict() bool

	// Refuse ends the run, because a program did something that makes it depend on
	// more than the simulator. It returns the error for the caller. Any goroutine may
	// call it, but only if the simulator is strict.
	Refuse(what string) error
}

// Chance makes random decisions.
type Chance interface {
	// Choose returns a number in [0,n).
	Choose(n int) int

	// Shuffles reports whether the loop changes the order of the ready tasks, by
	// calling Choose.
	Shuffles() bool
}

// An Observer learns what the tasks do.
type Observer interface {
	// Resume is called when a task, or a callback if t is nil, gets the thread. why
	// is the reason that a parked task was woken for.
	Resume(t Task, s Start, why string)

	// Suspend is called when it gives the thread up. what is what it waits for, and
	// err is the error with which it has ended.
	Suspend(t Task, e End, what fmt.Stringer, err error)

	// Describe describes what a task waits for.
	Describe(what fmt.Stringer) string
}

// A Host is a simulated host: its socket calls, names included, and its clock.
// It behaves the same on every system that a test runs on, so packages must not
// treat its sockets differently by system.
type Host interface {
	sockets.Calls

	// ToLoop converts a time of day of the host's clock to the loop's time, in
	// nanoseconds. ToWall does the reverse; any goroutine may call it.
	ToLoop(t time.Time) int64
	ToWall(when int64) time.Time

	// Since returns the time since t, which ToWall has returned, by a clock that
	// does not jump as the time of day does. Any goroutine may call it.
	Since(t time.Time) time.Duration
}

type hostKey struct{}

// WithHost returns a copy of ctx for code that runs on a host.
func WithHost(ctx context.Context, h Host) context.Context {
	return context.WithValue(ctx, hostKey{}, h)
}

// HostOf returns the host that code under ctx runs on. It is nil outside of simulations.
func HostOf(ctx context.Context) Host {
	h, _ := ctx.Value(hostKey{}).(Host)
	return h
}

// A Task is what a simulator sees of a task.
type Task interface {
	context.Context
	ID() uint64
	String() string
}

// Start is how a task gets the thread.
type Start uint8

const (
	Begins  Start = iota // for the first time
	Resumes              // after it was suspended
)

// End is how a task gives up the thread.
type End uint8

const (
	Waits  End = iota // parked on something
	Yields            // it is ready, or was woken as it parked
	Ended
)

// ErrIdle is returned by [Readiness.Wait] when the loop wants to sleep and nothing will
// ever wake it: the loop reports a deadlock.
var ErrIdle = errors.New("simulation: nothing is left that could happen")
