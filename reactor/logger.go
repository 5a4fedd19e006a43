package reactor

import (
	"log/slog"
	"time"
)

// Logger returns a logger that does not hold up the loop: its records are written
// to the log of another logger on a goroutine beside the loop, in order. So a log
// that is slow, or stuck as a pipe is that nobody reads, stops no task. nil means
// the logger of Options.Logger. The loop's own reports go this way, and those of a
// net.Server; a task that logs by slog itself waits for the log on the loop's
// thread, and everything else with it.
//
// About a thousand records wait at most. Further ones are dropped, and a record in
// their place says how many. Values of a record must not change after it is
// logged, except errors and slog.LogValuers, whose text is taken at once. When the
// loop ends, [Run] waits up to a second for what is not yet written.
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

// flushTime is how long the end of a loop waits for its log.
const flushTime = time.Second
