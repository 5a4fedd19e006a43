package pool

import (
	"slices"
	"time"
)

// expiry returns when r, which is idle, must be closed, if ever.
func (p *Pool[T]) expiry(r *resource[T]) (when time.Duration, limited bool) {
	c := &p.config
	switch {
	case c.IdleTime > 0 && c.Lifetime > 0:
		return min(r.freed+c.IdleTime, r.made+c.Lifetime), true
	case c.IdleTime > 0:
		return r.freed + c.IdleTime, true
	case c.Lifetime > 0:
		return r.made + c.Lifetime, true
	}
	return 0, false
}

func (p *Pool[T]) expired(r *resource[T], now time.Duration) bool {
	when, limited := p.expiry(r)
	return limited && now >= when
}

// watch sets the timer that closes r, unless it is set for an earlier time.
func (p *Pool[T]) watch(r *resource[T]) {
	when, limited := p.expiry(r)
	if !limited || p.reaps && when >= p.reapAt {
		return
	}
	p.reaps, p.reapAt = true, when
	d := when - p.loop.Time()
	if p.reaper == nil {
		p.reaper = p.loop.CallLater(d, p.reap)
	} else {
		p.reaper.Reset(d)
	}
}

// reap closes resources that have been idle, or have lived, for long enough. It
// is a callback. Closing needs a permit, and there may be none while a task
// that was granted one has not yet taken its resource; then reap tries again in
// the next turn.
func (p *Pool[T]) reap() {
	p.reaps = false
	now := p.loop.Time()
	for _, r := range slices.Clone(p.idle) {
		if p.expired(r, now) && p.turns.TryAcquire(1) {
			i := slices.Index(p.idle, r)
			p.idle = slices.Delete(p.idle, i, i+1)
			p.endInTurn(r)
		} else {
			p.watch(r)
		}
	}
}
