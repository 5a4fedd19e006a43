// Package logqueue answers: how does a loop write to a log without waiting for
// it? A log may be a pipe that nobody reads, or a slow disk, and a loop that
// waited for it would stop. So records go into a bounded queue, which a
// goroutine empties. If the queue is full, records are dropped and counted.
package logqueue

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Max is the most records that a Queue holds.
const Max = 1024

// A Queue passes records on to slog handlers, in order, on a goroutine that lives
// only while there are records. The zero Queue is empty and ready to use. Its
// methods may be called from any goroutine. It must not be copied.
//
// Invariants: a goroutine runs write exactly while writing is set; while it is
// not, entries is empty and dropped is 0.
type Queue struct {
	mu      sync.Mutex
	entries []entry
	dropped int // since the last entry was queued
	writing bool
	idle    chan struct{} // closed at the end of writing; nil if nobody waits for it
}

type entry struct {
	ctx    context.Context
	to     slog.Handler
	record slog.Record
	lost   int // how many records were dropped before this one
}

func (q *Queue) put(e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == Max {
		q.dropped++
		return
	}
	e.lost, q.dropped = q.dropped, 0
	q.entries = append(q.entries, e)
	if !q.writing {
		q.writing = true
		go q.write()
	}
}

// write passes records on until the queue is empty.
func (q *Queue) write() {
	var last entry
	for {
		batch, dropped := q.take()
		for _, e := range batch {
			e.tellLost(e.lost)
			e.to.Handle(e.ctx, e.record)
			last = e
		}
		if dropped > 0 {
			last.tellLost(dropped)
		}
		if len(batch) == 0 && dropped == 0 {
			return
		}
	}
}

// take removes and returns the entries, and the number of records dropped after
// them. If there are neither, it clears writing, and the caller must return.
func (q *Queue) take() (batch []entry, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, dropped = q.entries, q.dropped
	q.entries, q.dropped = nil, 0
	if len(batch) == 0 && dropped == 0 {
		q.writing = false
		if q.idle != nil {
			close(q.idle)
			q.idle = nil
		}
	}
	return batch, dropped
}

// tellLost reports to e's handler that n records were dropped.
func (e *entry) tellLost(n int) {
	if n == 0 {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "reactor: records were dropped: the log is too slow", 0)
	r.AddAttrs(slog.Int("records", n))
	e.to.Handle(context.Background(), r)
}

// Flush waits until all records are written, at most for within, and reports
// whether they are.
func (q *Queue) Flush(within time.Duration) bool {
	q.mu.Lock()
	if !q.writing {
		q.mu.Unlock()
		return true
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.mu.Unlock()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}
