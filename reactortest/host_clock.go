package reactortest

import (
	"math"
	"sync"
	"time"
)

// SetClock sets how far the host's clock, which [reactor.Now] reads, is ahead of true
// time, and how many parts per million it gains. Both may be negative. A change while
// programs run is a jump of the time of day. Sleeps, timeouts and [reactor.Since] do
// not see jumps.
func (h *Host) SetClock(ahead time.Duration, ppm int) {
	h.clock.set(h.net.sim.elapsed(), int64(ahead), int64(ppm))
	h.net.sim.note(h.proc, "clock is ahead by %v and gains %d ppm", ahead, ppm)
}

// A hostClock is two clocks of a host: the time of day, which SetClock makes jump, and
// a monotonic one. Both gain alike. A time.Time made of other than time.Now can't hold
// both, so the location of a reading tells the setting under which it was read. All
// these locations are UTC; that of the first setting is time.UTC itself.
//
// Invariants: there is at least one setting, unless the clock is unused; byLocation has
// all but the first.
type hostClock struct {
	mu         sync.Mutex
	settings   []clockSetting
	byLocation map[*time.Location]int
	read       bool // under the last setting
}

// A clockSetting is what a SetClock made of the clock. All times are in nanoseconds
// since the epoch or the run's beginning.
type clockSetting struct {
	ahead, drift int64
	shown        int64 // by the time of day, when it began
	mono         int64 // by the monotonic clock then
	location     *time.Location
}

// shows returns what the clock shows at a time. firstShows returns the first moment at
// which it shows that time or a later one. Neither overflows.
func (s *clockSetting) shows(when int64) int64 {
	return when + s.ahead + when/1e6*s.drift + when%1e6*s.drift/1e6
}

func (s *clockSetting) firstShows(shown int64) int64 {
	rate := 1e6 + s.drift
	shown -= s.ahead
	return shown/rate*1e6 + (shown%rate*1e6+rate-1)/rate
}

// monoOf returns the monotonic time of a reading.
func (s *clockSetting) monoOf(shown int64) int64 { return s.mono + shown - s.shown }

// last returns the setting in force. The caller has the lock.
func (c *hostClock) last() *clockSetting {
	if len(c.settings) == 0 {
		c.settings = []clockSetting{{location: time.UTC}}
	}
	return &c.settings[len(c.settings)-1]
}

func (c *hostClock) set(when, ahead, drift int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.last()
	s := clockSetting{ahead: ahead, drift: drift, mono: old.monoOf(old.shows(when)), location: old.location}
	s.shown = s.shows(when)
	if !c.read {
		*old = s
		return
	}
	s.location = time.FixedZone("UTC", 0)
	if c.byLocation == nil {
		c.byLocation = make(map[*time.Location]int)
	}
	c.byLocation[s.location] = len(c.settings)
	c.settings = append(c.settings, s)
	c.read = false
}

// now returns the time of day.
func (c *hostClock) now(when int64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = true
	s := c.last()
	return epoch.Add(time.Duration(s.shows(when))).In(s.location)
}

// elapsedAt returns the first moment at which a time comes: the clock shows it, or, if
// it was read under an earlier setting, the monotonic clock would.
func (c *hostClock) elapsedAt(t time.Time) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, shown := c.last(), int64(t.Sub(epoch))
	if i, ok := c.byLocation[t.Location()]; ok {
		shown = s.shown + c.settings[i].monoOf(shown) - s.mono
	}
	return s.firstShows(shown)
}

// since returns the monotonic time since a reading.
func (c *hostClock) since(t time.Time, when int64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, shown := c.last(), int64(t.Sub(epoch))
	read, ok := c.byLocation[t.Location()]
	if !ok && t.Location() != time.UTC {
		return time.Duration(s.shows(when) - shown) // it is no reading
	}
	return time.Duration(s.monoOf(s.shows(when)) - c.settings[read].monoOf(shown))
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
	d := proc.host.clock.elapsedAt(t)
	return min(d, math.MaxInt64-begin) + begin
}

// isReal reports whether t was read from the system's monotonic clock.
func isReal(t time.Time) bool { return t != t.Round(0) }

// ToWall returns what the host's clock shows at a loop time.
func (proc *process) ToWall(when int64) time.Time {
	return proc.host.clock.now(when - begin)
}

// Since returns the time since a reading of the host's clock.
func (proc *process) Since(t time.Time) time.Duration {
	if isReal(t) {
		return time.Since(t)
	}
	return proc.host.clock.since(t, proc.sim().elapsed())
}
