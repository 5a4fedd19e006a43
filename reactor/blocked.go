package reactor

import (
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// ErrBlocked is the error in the [Report] of a loop whose thread one task or
// callback occupies; see Options.BlockedAfter.
var ErrBlocked = errors.New("reactor: the loop is blocked: nothing else runs until this task or callback suspends or returns: call what waits for a goroutine, or computes for long, by ToThread")

// blockedTime is the default of Options.BlockedAfter.
const blockedTime = time.Second

// blockedError is an ErrBlocked, with the time.
type blockedError struct {
	took  time.Duration
	over  bool
	calls bool
}

func (e *blockedError) Error() string {
	if e.over {
		return fmt.Sprintf("reactor: the loop was blocked for about %v", e.took.Round(time.Millisecond))
	}
	waits := ""
	if e.calls {
		waits = "; calls from other goroutines wait for it"
	}
	return fmt.Sprintf("%v (for %v so far%s)", ErrBlocked, e.took.Round(time.Millisecond), waits)
}

func (e *blockedError) Is(target error) bool { return target == ErrBlocked }

// reportBlocked reports that the loop is blocked, or goes on again. It is
// called on the watchdog's goroutine.
func (l *Loop) reportBlocked(b core.Blockage) {
	r := Report{Kind: LoopBlocked, What: "the loop is blocked", Task: b.Task, Err: &blockedError{b.Took, b.Over, b.Calls}, Stack: b.Stack}
	if b.Over {
		r.Kind, r.What = LoopUnblocked, "the loop goes on"
	}
	if l.onBlocked != nil {
		l.onBlocked(r)
		return
	}
	l.logReport(r)
}

// blockedAfter returns o.BlockedAfter with its default.
func (o Options) blockedAfter() time.Duration {
	if o.BlockedAfter == 0 && o.Clock == nil {
		return blockedTime
	}
	return o.BlockedAfter
}
