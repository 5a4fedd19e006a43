package reactortest_test

import (
	"context"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// The time of day jumps, by hours forth and back, and what passes by the monotonic
// clock is what it is: for readings from before, between and after, for times reckoned
// from them, and for deadlines made of them.
func TestSinceAcrossAClockJump(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		h := n.Host("jumpy")
		h.Start(func(ctx context.Context) error {
			began := now(ctx)
			var readings []time.Time
			var at []time.Duration
			shown := time.Duration(0)
			for _, jump := range []time.Duration{0, -time.Hour, 3 * time.Hour, -2 * time.Hour, 0, 0, time.Nanosecond, -24 * time.Hour} {
				before := reactor.Now(ctx)
				shown += jump
				h.SetClock(shown, 0)
				if d := reactor.Now(ctx).Sub(before); d != jump {
					t.Errorf("the time of day jumped by %v, not by %v", d, jump)
				}
				readings, at = append(readings, before, reactor.Now(ctx)), append(at, now(ctx), now(ctx))
				reactor.Sleep(ctx, 2*time.Second)
				for i, r := range readings {
					passed := now(ctx) - at[i]
					if d := reactor.Since(ctx, r); d != passed {
						t.Errorf("at %v, the reading %d: since %v, want %v", now(ctx)-began, i, d, passed)
					}
					if d := reactor.Until(ctx, r.Add(time.Hour)); d != time.Hour-passed {
						t.Errorf("at %v, an hour after the reading %d: until %v, want %v", now(ctx)-began, i, d, time.Hour-passed)
					}
				}
			}
			if text := reactor.Now(ctx).Format(time.RFC1123); text != "Fri, 31 Dec 1999 00:00:16 UTC" {
				t.Error("it is", text)
			}

			// A deadline that was reckoned before a jump is as far away after it.
			soon := reactor.Now(ctx).Add(5 * time.Second)
			h.SetClock(40*time.Hour, 0)
			p, err := net.ListenPacket(ctx, "udp", ":9")
			if err != nil {
				return err
			}
			from := now(ctx)
			p.SetReadDeadline(soon)
			p.ReadFrom(make([]byte, 1))
			if d := now(ctx) - from; d != 5*time.Second {
				t.Error("a read deadline from before the jump took", d)
			}
			soon = reactor.Now(ctx).Add(5 * time.Second)
			h.SetClock(-40*time.Hour, 0)
			from = now(ctx)
			reactor.SleepUntil(ctx, soon)
			if d := now(ctx) - from; d != 5*time.Second {
				t.Error("a sleep until a time from before the jump took", d)
			}

			// What is no reading goes by the time of day.
			noon := time.Date(1999, 12, 31, 12, 0, 0, 0, time.FixedZone("", 3600))
			if d := reactor.Until(ctx, noon); d != noon.Sub(reactor.Now(ctx)) {
				t.Error("until noon", d)
			}
			return p.Close()
		})
		if err := h.Wait(ctx); err != nil {
			t.Error(err)
		}
	}, 1)
}

// A clock that gains does so in both: what Since tells is what Sub does.
func TestSinceOnAClockThatGains(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		h := n.Host("fast")
		h.SetClock(time.Minute, 1000)
		h.Start(func(ctx context.Context) error {
			began := reactor.Now(ctx)
			reactor.Sleep(ctx, 1000*time.Second)
			if d := reactor.Since(ctx, began); d != 1001*time.Second || d != reactor.Now(ctx).Sub(began) {
				t.Error("since the beginning", d)
			}
			h.SetClock(-time.Hour, -1000)
			reactor.Sleep(ctx, 1000*time.Second)
			if d := reactor.Since(ctx, began); d != 2000*time.Second {
				t.Error("since the beginning, with a jump and a clock that loses", d)
			}
			return nil
		})
		if err := h.Wait(ctx); err != nil {
			t.Error(err)
		}
	}, 1)
}

// Where nothing has set the clock, a time is one of UTC like any other.
func TestNowIsPlainUTC(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		h := n.Host("skewed")
		h.SetClock(time.Hour, 0)
		for host, want := range map[context.Context]int{ctx: 0, h.Context(ctx): 1} {
			if now := reactor.Now(host); now != time.Date(2000, 1, 1, want, 0, 0, 0, time.UTC) {
				t.Error("it begins at", now)
			}
		}
	}, 1)
}
