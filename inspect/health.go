package inspect

import "github.com/eddyio/eddy/reactor/core"

// Health describes the state of a loop.
type Health struct {
	Ready   int `json:"ready"`
	Timers  int `json:"timers"`
	FDs     int `json:"fds"`
	Tasks   int `json:"tasks"`
	Threads int `json:"threads"`
	// Coroutines are those of tasks and the pooled ones.
	Coroutines int `json:"coroutines"`
}

func (h *Health) set(x core.Holdings) {
	h.Ready, h.Timers, h.FDs, h.Tasks, h.Threads = x.Ready, x.Timers, x.FDs, x.Tasks, x.Threads
	h.Coroutines = x.Workers
}
