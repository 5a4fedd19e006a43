package reactortest

import (
	"fmt"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor/core"
)

var _ simulation.Simulator = (*simulator)(nil)

func (sim *simulator) Attach(outside func() (int, bool)) { sim.external = outside }

func (sim *simulator) Strict() bool { return sim.strict }

func (sim *simulator) Shuffles() bool { return sim.shuffle }

func (sim *simulator) Choose(n int) int { return int(sim.tasks.choose(uint64(n))) }

func (sim *simulator) Turn() error {
	if sim.turns++; sim.turns > maxTurns && sim.failure == nil {
		sim.failure = fmt.Errorf("reactortest: %d turns at the same moment: time moves only when every task waits, and some yield for ever", maxTurns)
	}
	if r := sim.first.Load(); r != nil {
		return r
	}
	if sim.ended {
		return errVerdict
	}
	return sim.failure
}

func (sim *simulator) Resume(t simulation.Task, s simulation.Start, why string) {
	sim.ran++
	if t == nil {
		sim.running.Store(0)
		sim.record(kindResume, nil, 0, 0, func() string { return "a callback runs" })
		return
	}
	sim.running.Store(t.ID())
	sim.record(kindResume, sim.traced(t), t.ID(), hashString(why), func() string {
		if s == simulation.Begins {
			return t.String() + " begins"
		}
		return t.String() + " goes on: " + why
	})
}

func (sim *simulator) Suspend(t simulation.Task, e simulation.End, what fmt.Stringer, err error) {
	if t == nil {
		return
	}
	if err != nil {
		sim.learn(err)
	}
	sim.record(kindSuspend, sim.traced(t), t.ID(), uint64(e)<<56^hashOf(what), func() string {
		switch {
		case e == simulation.Waits:
			return t.String() + " waits for " + sim.Describe(what)
		case e == simulation.Yields:
			return t.String() + " lets others run"
		case err != nil:
			return fmt.Sprintf("%v ends: %v", t, err)
		}
		return t.String() + " ends"
	})
}

// hashOf returns a hash of what a task waits for. It avoids the text where it can.
func hashOf(what fmt.Stringer) uint64 {
	switch what := what.(type) {
	case nil:
		return 0
	case *core.FD:
		return uint64(what.Sysfd())
	case *core.Task:
		return what.ID()
	}
	return hashString(what.String())
}

func (sim *simulator) Describe(what fmt.Stringer) string {
	if f, ok := what.(*core.FD); ok {
		if s, err := sim.file(f.Sysfd()); err == nil {
			return s.String()
		}
	}
	return what.String()
}

// traced returns the process to show with a task in the trace, if that is recorded.
func (sim *simulator) traced(t simulation.Task) *process {
	if !sim.trace.recorded {
		return nil
	}
	proc, _ := simulation.HostOf(t).(*process)
	return proc
}

// HostOfFD returns the process of a simulated socket, or that of the test for all other
// descriptors.
func (sim *simulator) HostOfFD(fd int) simulation.Host {
	if i := fd - firstFD; i >= 0 && i < len(sim.files) && sim.files[i] != nil {
		return sim.files[i].proc
	}
	return sim.network.hosts[0].proc
}
