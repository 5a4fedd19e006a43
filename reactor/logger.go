package reactor

import (
	"log/slog"
	"time"
)

// Logger returns a logger that does not block the loop: its records are passed,
// in order, to another logger on a goroutine beside the loop. So a log that is
// slow, or stuck like a pipe without a reader, blocks no task. nil means the
// logger of Options.Logger. The loop's own reports, and those of a net.Server,
// use this. A task that uses slog directly blocks the loop's thread while the
// log is slow.
//
// About a thousand records wait at most. Further ones are dropped, and a record
// in their place has their number. Values of a record must not change after it
// is logged, except errors and slog.LogValuers, which are resolved at once.
// When the loop ends, [Run] waits up to a second for records not yet written.
//
// In a simulation, records are written at once, by the caller. Logger may be
// called from any goroutine, and so may the logger's methods.
func (l *Loop) Logger(to *slog.Logger) *slog.Logger {
	switch {
	case to == nil:
		return l.log
	case l.core.Simulated():
		return to
	}
	return slog.New(l.logs.Handler(to.Handler()))
}

// flushTime is how long a loop waits for its log at its end.
const flushTime = time.Second
