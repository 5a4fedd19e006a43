// Package simulation answers: what does a loop ask of a world that is not the
// real one? It is the contract between package reactor, which knows nothing of
// simulated networks, and package reactortest, which simulates them. A loop
// whose clock is a [World] asks it in the few places where chance, other
// threads or the system's clock would otherwise decide.
//
// How a world decides, and what it is made of, it leaves to reactortest.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A World is a clock that decides more than the time. Unless a method says
// otherwise, it is called on the loop's thread only.
type World interface {
	// Attach is called once, before the loop's first turn. What it gets tells
	// how many goroutines are under way for tasks, whose results will come
	// though nothing in the world shows it, and whether anything else outside
	// the world may wake a task.
	Attach(outside func() (underWay int, possible bool))

	// Turn is called as a turn of the loop begins. An error ends the loop.
	Turn() error

	// Strict says whether nothing but the world may decide what happens:
	// ToThread calls its function in place, and goroutines are refused.
	Strict() bool

	// Shuffles says whether the tasks that are ready are put in another order,
	// by asking Choose for numbers below n.
	Shuffles() bool
	Choose(n int) int

	// Refuse reports that a program did what would make the run depend on more
	// than the world, and ends the run. It returns the error for the caller. It may
	// be called from any goroutine, and only when the world is strict.
	Refuse(what string) error

	// Resume and Suspend tell that a task, or a callback if t is nil, gets the
	// thread and gives it up.
	Resume(t Task, s Start, why string)
	Suspend(t Task, e End, what fmt.Stringer, err error)

	// Describe says what a task waits for that is parked on what.
	Describe(what fmt.Stringer) string

	// ToLoop and ToWall translate between the loop's time, in nanoseconds, and
	// the time of day where of is at home: a context, or a file descriptor.
	// ToWall may be called from any goroutine.
	ToLoop(t time.Time, of any) int64
	ToWall(when int64, of any) time.Time
}

// A Kernel is the socket calls of a simulated host. It is the same kernel on every
// system that a test runs on, so that nothing may be done to its sockets on one of
// them only.
type Kernel interface{ Simulated() }

// A Task is what a world sees of a task.
type Task interface {
	context.Context
	ID() uint64
	String() string
}

// Start says how a task comes to run.
type Start uint8

const (
	Begins  Start = iota // for the first time
	Resumes              // after it was suspended
)

// End says how a task gives up the thread.
type End uint8

const (
	Waits  End = iota // parked on something
	Yields            // it is ready, or was woken as it parked
	Ended
)

// ErrIdle is returned by the poller of a world when the loop wants to sleep and
// nothing will ever wake it: the loop reports a deadlock.
var ErrIdle = errors.New("simulation: nothing is left that could happen")

type hostKey struct{}

// HostKey is the key under which a context tells the host that it is at home
// on: a value that is the host's own eddy.Sockets.
var HostKey any = hostKey{}
