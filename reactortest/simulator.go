package reactortest

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/timerwheel"
)

// A simulator is a discrete-event simulator: a virtual clock, a queue of events and the
// sockets. It is the loop's clock and poller.
//
// Time stands still while a task runs. When every task waits, and no goroutine works for
// one, it jumps to the loop's next timer or the next event, whichever is first.
//
// Invariants: no event is before now. A socket is in notified at most once, and notified
// is in the order of the notifications.
type simulator struct {
	now      atomic.Int64
	events   timerwheel.Wheel[func()]
	external func() (underWay int, possible bool)
	wakeup   chan struct{} // holds one: a wake that no Wait has seen
	clock    Clock
	limit    int64 // the longest run; 0: no limit

	strict     bool
	shuffle    bool
	faults     choices // of the network and the kernels
	tasks      choices // of the order of tasks
	generators uint64  // how many random generators the program was given
	trace      Trace
	turns      int // since the time last moved
	ran        uint64
	refusals
	verdict
	steps   atomic.Uint64 // events so far, for the watchdog
	running atomic.Uint64 // the ID of the running task; 0: no task
	failure error

	files    []*socket // by fd, less firstFD
	free     []int
	sockID   uint64
	notified []*socket
	batch    []eddy.Event

	network Network
}

func newSimulator(t testing.TB, faults, tasks choices) *simulator {
	sim := &simulator{verdict: verdict{test: t}, wakeup: make(chan struct{}, 1), faults: faults, tasks: tasks}
	sim.refusing = make(chan struct{})
	sim.clock.sim = sim
	sim.now.Store(begin)
	sim.network.init(sim)
	return sim
}

// begin is the loop's time when the clock starts. It is not 0, which a scope's deadline
// uses for none.
const begin = 1

// maxTurns is how many turns the loop may take at one moment. Time moves only when all
// tasks wait, so that tasks that yield until something happens would wait forever.
var maxTurns = 1_000_000

// newRand returns a new random generator for the program.
func (sim *simulator) newRand() *rand.Rand {
	sim.generators++
	return rand.New(rand.NewPCG(sim.trace.Seed, streamProgram+sim.generators))
}

func (sim *simulator) time() int64 { return sim.now.Load() }

// elapsed returns how long the clock has run.
func (sim *simulator) elapsed() int64 { return sim.time() - begin }

// Now returns the loop's time. Any goroutine may call it.
func (sim *simulator) Now() time.Duration { return time.Duration(sim.time()) }

// at schedules a call of f. The timer can be cancelled.
func (sim *simulator) at(when int64, f func()) *timerwheel.Timer[func()] {
	t := &timerwheel.Timer[func()]{Value: f}
	sim.events.Add(t, when)
	return t
}

func (sim *simulator) after(d time.Duration, f func()) *timerwheel.Timer[func()] {
	return sim.at(sim.time()+int64(d), f)
}

// runDue runs the events that are due, and reports whether there were any.
func (sim *simulator) runDue() bool {
	any := false
	for t := sim.events.Pop(sim.time()); t != nil; t = sim.events.Pop(sim.time()) {
		t.Value()
		any = true
	}
	return any
}

// next returns the time of the next event or of the loop's timeout, if there is one.
func (sim *simulator) next(timeout time.Duration) (when int64, any bool) {
	when, any = sim.events.Next()
	if timeout > 0 {
		if own := sim.time() + int64(timeout); !any || own < when {
			when, any = own, true
		}
	}
	return when, any
}

// set moves the time. It fails beyond the run's limit.
func (sim *simulator) set(now int64) error {
	if sim.limit > 0 && now-begin > sim.limit {
		sim.failure = fmt.Errorf("reactortest: the run has not ended after %v of virtual time (see Options.Limit)", time.Duration(sim.limit))
		sim.limit = 0
		return sim.failure
	}
	sim.now.Store(now)
	sim.turns = 0
	return nil
}
