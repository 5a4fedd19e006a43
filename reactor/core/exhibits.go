package core

import (
	"slices"
	"sync"
	"time"
)

// A SlowStep is a step that kept its loop's thread for long: for longer than
// Options.SlowStep or, if that is not set, than Options.BlockedAfter.
type SlowStep struct {
	At    time.Time // when it ended
	Task  string    // "" is a callback
	Took  time.Duration
	Stack []byte // nil if it ended before one was taken
}

// A ServerView is what a server has done, for those who inspect its loop.
type ServerView struct {
	Address                                      string
	Connections, Accepted, Shed, Expired, Failed int64
}

// exhibits is what a loop keeps for those who inspect it. Any goroutine may look.
//
// Invariant: slow has at most maxSlow entries, the oldest first.
type exhibits struct {
	mu      sync.Mutex
	slow    []SlowStep
	servers []*func() ServerView
}

// maxSlow is how many slow steps are kept.
const maxSlow = 32

// wasSlow keeps a slow step.
func (x *exhibits) wasSlow(s SlowStep) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.slow) == maxSlow {
		x.slow = slices.Delete(x.slow, 0, 1)
	}
	x.slow = append(x.slow, s)
}

// SlowSteps returns the last slow steps, the newest first. It may be called from anywhere.
func (l *Loop) SlowSteps() []SlowStep {
	l.exhibits.mu.Lock()
	defer l.exhibits.mu.Unlock()
	all := slices.Clone(l.exhibits.slow)
	slices.Reverse(all)
	return all
}

// ShowServer makes view one of the loop's Servers until the function that it returns is
// called. view is called on any goroutine.
func (l *Loop) ShowServer(view func() ServerView) (hide func()) {
	x := &l.exhibits
	x.mu.Lock()
	defer x.mu.Unlock()
	x.servers = append(x.servers, &view)
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.servers = slices.DeleteFunc(x.servers, func(v *func() ServerView) bool { return v == &view })
	}
}

// Servers returns views of the servers that run on the loop. It may be called from
// anywhere.
func (l *Loop) Servers() (all []ServerView) {
	l.exhibits.mu.Lock()
	defer l.exhibits.mu.Unlock()
	for _, view := range l.exhibits.servers {
		all = append(all, (*view)())
	}
	return all
}
