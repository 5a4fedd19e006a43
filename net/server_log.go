package net

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A summary limits a server's log, because peers can make a server fail as
// often as they like. Of each kind of event it logs a few lines per period, and
// at its end one line with the number of others.
//
// Invariant: the timer is set exactly while some kind has events not yet
// logged.
type summary struct {
	log   *slog.Logger
	timer *reactor.Timer
	isSet bool
	now   func() time.Duration
	began time.Duration // start of the current period
	kinds []*kind       // in the order of their first event
}

// A kind is a set of events that differ only in their peer.
type kind struct {
	key    string
	times  int // in this period
	untold int
	level  slog.Level
	what   string
	args   []any // of the latest event
}

const (
	summaryTime  = 10 * time.Second // length of a period
	summaryLines = 5                // of one kind in a period
	summaryKinds = 20               // further ones are counted together
)

func newSummary(ctx context.Context, log *slog.Logger) *summary {
	l := reactor.LoopOf(ctx)
	s := &summary{log: log, now: l.Time}
	s.timer = l.CallLater(summaryTime, s.end)
	s.timer.Stop()
	return s
}

// tell logs an event, or counts it if enough of its kind were logged.
func (s *summary) tell(level slog.Level, what, key string, args ...any) {
	if now := s.now(); now-s.began >= summaryTime {
		s.end()
		s.began = now
	}
	k := s.kind(what + key)
	k.times++
	if k.times <= summaryLines {
		s.log.Log(context.Background(), level, what, args...)
		return
	}
	k.level, k.what, k.args = level, what, args
	k.untold++
	if !s.isSet {
		s.isSet = true
		s.timer.Reset(s.began + summaryTime - s.now())
	}
}

func (s *summary) kind(key string) *kind {
	if len(s.kinds) >= summaryKinds {
		key = ""
	}
	for _, k := range s.kinds {
		if k.key == key {
			return k
		}
	}
	k := &kind{key: key}
	s.kinds = append(s.kinds, k)
	return k
}

// end ends the period, and logs the number of events that were not logged in
// it.
func (s *summary) end() {
	if s.isSet {
		s.isSet = false
		s.timer.Stop()
	}
	kinds := s.kinds
	s.kinds = nil
	for _, k := range kinds {
		if k.untold > 0 {
			s.log.Log(context.Background(), k.level, k.what+", and often", append([]any{"times", k.untold}, k.args...)...)
		}
	}
}

// keyOf returns the common part of errors of one kind: the text of the
// innermost error, which names no peer.
func keyOf(err error) string {
	if p, ok := err.(*reactor.PanicError); ok {
		return brief(fmt.Sprint("panic ", p.Value))
	}
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return brief(fmt.Sprintf("%T %v", err, err))
		}
		err = inner.Unwrap()
	}
}

func brief(s string) string {
	const most = 200
	return strings.Clone(s[:min(len(s), most)])
}
