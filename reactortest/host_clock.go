package reactortest

import (
	"math"
	"time"
)

// SetClock sets how far the host's clock, which [reactor.Now] reads, is ahead of true
// time, and how many parts per million it gains. Both may be negative. Sleeps and
// timeouts follow true time.
func (h *Host) SetClock(ahead time.Duration, ppm int) {
	h.ahead, h.drift = ahead, int64(ppm)
	h.net.sim.note(h.proc, "clock is ahead by %v and gains %d ppm", ahead, ppm)
}

// shows returns what the host's clock shows at a time. firstShows returns the first
// moment at which it shows that time or a later one. Neither overflows.
func (h *Host) shows(when int64) int64 {
	return when + int64(h.ahead) + when/1e6*h.drift + when%1e6*h.drift/1e6
}

func (h *Host) firstShows(shown int64) int64 {
	rate := 1e6 + h.drift
	shown -= int64(h.ahead)
	return shown/rate*1e6 + (shown%rate*1e6+rate-1)/rate
}

// epoch is the time of day when a virtual clock starts.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// ToLoop takes a time of the system's clock, as std and most programs use for
// deadlines, for the time that is left until then. It rounds that to hundredths of a
// second: more precisely, it would depend on the machine's speed.
func (proc *process) ToLoop(t time.Time) int64 {
	if isReal(t) {
		const grain = 10 * time.Millisecond
		left := time.Until(t)
		if left > 0 {
			left = max(grain, left.Round(grain))
		}
		return proc.sim().time() + int64(left)
	}
	d := proc.host.firstShows(int64(t.Sub(epoch)))
	return min(d, math.MaxInt64-begin) + begin
}

// isReal reports whether t was read from the system's monotonic clock.
func isReal(t time.Time) bool { return t != t.Round(0) }

// ToWall returns what the host's clock shows at a loop time.
func (proc *process) ToWall(when int64) time.Time {
	return epoch.Add(time.Duration(proc.host.shows(when - begin)))
}
