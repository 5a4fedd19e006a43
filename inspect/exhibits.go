package inspect

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Server is a server of package net that runs on a loop, with its counters so far.
type Server struct {
	Address     string `json:"address"`
	Connections int64  `json:"connections"`
	Accepted    int64  `json:"accepted"`
	Shed        int64  `json:"shed"`    // for want of room
	Expired     int64  `json:"expired"` // for want of messages
	Failed      int64  `json:"failed"`  // handlers
}

// A Slow is a step that kept the thread of its loop for long.
type Slow struct {
	Time  time.Time `json:"time"` // when it ended
	Task  string    `json:"task"` // "" is a callback
	Took  float64   `json:"took"`
	Stack string    `json:"stack,omitempty"`
}

// exhibit copies what l keeps to be seen. It does not ask l.
func (out *Loop) exhibit(l *core.Loop) {
	for _, s := range l.Servers() {
		out.Servers = append(out.Servers, Server{s.Address, s.Connections, s.Accepted, s.Shed, s.Expired, s.Failed})
	}
	for _, s := range l.SlowSteps() {
		out.Slow = append(out.Slow, Slow{s.At, s.Task, s.Took.Seconds(), string(s.Stack)})
	}
}

// writeExhibits writes servers and slow steps.
func writeExhibits(w io.Writer, l *Loop) {
	for _, s := range l.Servers {
		fmt.Fprintf(w, "  server %s: %d connections; %d accepted, %d shed, %d expired, %d failed\n",
			plain(s.Address), s.Connections, s.Accepted, s.Shed, s.Expired, s.Failed)
	}
	for _, s := range l.Slow {
		fmt.Fprintf(w, "  slow until %s: %s, for %s\n", s.Time.Format(time.TimeOnly), plain(cmp.Or(s.Task, "a callback")), short(s.Took))
		writeIndented(w, s.Stack, "    ")
	}
}
