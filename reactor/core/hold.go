package core

import "sync/atomic"

// Hold keeps the loop from reporting a deadlock until release is called. Both may be
// called from any goroutine; calling release again does nothing.
func (l *Loop) Hold() (release func()) {
	l.holds.Add(1)
	var released atomic.Bool
	return func() {
		if !released.Swap(true) && l.holds.Add(-1) == 0 {
			l.Post(func() {}) // wake it: there may be a deadlock now
		}
	}
}
