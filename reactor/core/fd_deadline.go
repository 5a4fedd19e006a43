package core

import (
	"os"
	"sync/atomic"
	"time"
)

// An ioDeadline is the deadline of one direction.
type ioDeadline struct {
	dir    *direction
	passed bool
	at     atomic.Int64 // the loop time, for all goroutines; 0: none
	timer  Alarm
}

// SetReadDeadline makes reads that wait at t, or begin later, fail with
// [os.ErrDeadlineExceeded], until another deadline is set. The zero t means
// none. While a deadline is set, each read costs a reading of the clock.
func (f *FD) SetReadDeadline(t time.Time) error { return f.setDeadline(&f.read, t) }

// SetWriteDeadline is like [FD.SetReadDeadline], for writes.
func (f *FD) SetWriteDeadline(t time.Time) error { return f.setDeadline(&f.write, t) }

func (f *FD) setDeadline(dir *direction, t time.Time) error {
	l := f.loop
	l.OnLoop("setting a deadline")
	if f.flags&closed != 0 {
		return os.ErrClosed
	}
	d := dir.deadline.Load()
	if d == nil {
		if t.IsZero() {
			return nil
		}
		d = &ioDeadline{dir: dir}
		d.timer.Init(l, d.pass)
		dir.deadline.Store(d)
		f.flags |= timed
	}
	d.passed = false
	if t.IsZero() {
		d.at.Store(0)
		d.timer.Stop()
		return nil
	}
	when := l.timeAtFD(t, f.Sysfd())
	d.at.Store(max(1, when))
	if when > l.Now() {
		d.timer.Set(when)
	} else {
		d.timer.Stop()
		d.pass()
	}
	return nil
}

// late reports whether the direction's deadline has passed. A task that
// computes delays the deadline's timer, so late reads the clock, but only while
// a deadline is set.
func (d *direction) late() bool {
	own := d.deadline.Load()
	return own != nil && own.late()
}

// passed is late without reading the clock.
func (d *direction) passed() bool {
	own := d.deadline.Load()
	return own != nil && own.passed
}

func (d *ioDeadline) late() bool {
	if !d.passed && d.timer.when != 0 && d.timer.loop.Now() >= d.timer.when {
		d.timer.Stop()
		d.pass()
	}
	return d.passed
}

func (d *ioDeadline) pass() {
	d.passed = true
	d.dir.waiters.WakeAll(WokenTimer)
}
