package integration

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	eddynet "github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A place is where a library is called.
type place struct {
	name, title string
	run         func(addr map[string]string, f func(*stage) error) error
}

var places = []place{
	{"std", "with Go's net", onStd},
	{"task", "in a task", inTask},
	{"thread", "in `ToThread`", inThread},
	{"off", "off the loop", offLoop},
}

func placeOf(name string) place {
	for _, p := range places {
		if p.name == name {
			return p
		}
	}
	panic("there is no place " + name)
}

// A stage is a running place.
type stage struct {
	ctx context.Context
	at  *site

	// call calls f where the place says. It returns when f has returned, even if ctx
	// is done before.
	call func(ctx context.Context, f func(ctx context.Context) error) error

	// within calls f with a ctx that is done after d, and dismissed one that is
	// cancelled after d.
	within    func(d time.Duration, f func(ctx context.Context) error) error
	cancelled func(d time.Duration, f func(ctx context.Context) error) error

	// beside calls f on a goroutine, and waits for it.
	beside func(f func())

	// pause, if set, lets the loop turn between two operations.
	pause func()

	pulse *pulse // nil if there is no loop
}

func plainCall(ctx context.Context, f func(ctx context.Context) error) error { return f(ctx) }

func stdSite(addr map[string]string) *site {
	return &site{
		addr: addr,
		dial: new(net.Dialer).DialContext,
		listen: func(ctx context.Context, network, addr string) (net.PacketConn, error) {
			return new(net.ListenConfig).ListenPacket(ctx, network, addr)
		},
	}
}

// eddySite has the connections of a loop, for tasks and for goroutines that need have
// no ctx of its.
func eddySite(ctx context.Context, addr map[string]string) *site {
	l := reactor.LoopOf(ctx)
	dialer := &eddynet.Dialer{Loop: l}
	return &site{
		addr: addr,
		dial: dialer.DialContext,
		listen: func(_ context.Context, network, addr string) (net.PacketConn, error) {
			return new(eddynet.ListenConfig).ListenPacket(ctx, network, addr)
		},
	}
}

func onStd(addr map[string]string, f func(*stage) error) error {
	return f(&stage{
		ctx: context.Background(), at: stdSite(addr), call: plainCall,
		within: withinStd, cancelled: cancelledStd,
		beside: func(f func()) { f() },
	})
}

func withinStd(d time.Duration, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return f(ctx)
}

func cancelledStd(d time.Duration, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	time.AfterFunc(d, cancel)
	return f(ctx)
}

func inTask(addr map[string]string, f func(*stage) error) error {
	return run(func(ctx context.Context, p *pulse) error {
		at := eddySite(ctx, addr)
		at.inTask, at.ctx = true, ctx
		return f(&stage{
			ctx: ctx, at: at, call: plainCall,
			within:    func(d time.Duration, f func(ctx context.Context) error) error { return reactor.Timeout(ctx, d, f) },
			cancelled: func(d time.Duration, f func(ctx context.Context) error) error { return cancelledTask(ctx, d, f) },
			beside:    func(f func()) { beside(ctx, f) },
			pause:     func() { pause(ctx) },
			pulse:     p,
		})
	})
}

// pause gives up the thread until the timers that are due now have been served.
func pause(ctx context.Context) {
	for range 2 {
		reactor.Yield(ctx)
	}
}

func cancelledTask(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	t := reactor.Go(ctx, f)
	if err := reactor.Sleep(ctx, d); err != nil {
		return err
	}
	t.Cancel(nil)
	return t.Wait(ctx)
}

// In ToThread a library needs no hook: it uses its own connections.
func inThread(addr map[string]string, f func(*stage) error) error {
	return run(func(ctx context.Context, p *pulse) error {
		return f(&stage{
			ctx: ctx, at: stdSite(addr), call: callThread,
			within: func(d time.Duration, f func(ctx context.Context) error) error {
				return reactor.Timeout(ctx, d, f)
			},
			cancelled: func(d time.Duration, f func(ctx context.Context) error) error {
				return cancelledTask(ctx, d, f)
			},
			beside: func(f func()) { beside(ctx, f) },
			pulse:  p,
		})
	})
}

func callThread(ctx context.Context, f func(ctx context.Context) error) error {
	ended := make(chan struct{})
	_, err := reactor.ToThread(ctx, func(ctx context.Context) (struct{}, error) {
		defer close(ended)
		return struct{}{}, f(ctx)
	})
	if ctx.Err() != nil {
		reactor.Receive(context.WithoutCancel(ctx), ended)
	}
	return err
}

// Off the loop a goroutine has eddy's connections, and contexts of its own.
func offLoop(addr map[string]string, f func(*stage) error) error {
	return run(func(ctx context.Context, p *pulse) error {
		var err error
		beside(ctx, func() {
			err = f(&stage{
				ctx: context.Background(), at: eddySite(ctx, addr), call: plainCall,
				within: withinStd, cancelled: cancelledStd,
				beside: func(f func()) { f() },
				pulse:  p,
			})
		})
		return err
	})
}

func beside(ctx context.Context, f func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	reactor.Receive(context.WithoutCancel(ctx), ended)
}

// run is reactor.Run, with a pulse.
func run(f func(ctx context.Context, p *pulse) error) error {
	return reactor.Run(context.Background(), func(ctx context.Context) error {
		p := &pulse{loop: reactor.LoopOf(ctx)}
		return f(ctx, p)
	})
}

// A pulse tells whether a loop turns, and for how long at most it was held.
type pulse struct {
	loop *reactor.Loop
	beat atomic.Int64 // when the loop last turned
	held atomic.Int64 // the longest time between two beats beyond their interval
}

// start makes the pulse beat. It may be called from anywhere.
func (p *pulse) start(interval time.Duration) (stop func()) {
	stopped := new(atomic.Bool)
	p.held.Store(0)
	p.beat.Store(time.Now().UnixNano())
	reactor.Submit(p.loop, func(ctx context.Context) (struct{}, error) {
		last := time.Now()
		for !stopped.Load() {
			if err := reactor.Sleep(ctx, interval); err != nil {
				break
			}
			now := time.Now()
			p.held.Store(max(p.held.Load(), int64(now.Sub(last)-interval)))
			p.beat.Store(now.UnixNano())
			last = now
		}
		return struct{}{}, nil
	})
	return func() { stopped.Store(true) }
}

// stands reports whether the loop has not turned for a time.
func (p *pulse) stands(d time.Duration) bool {
	return time.Since(time.Unix(0, p.beat.Load())) > d
}
