package shard

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// Each phase begins when the one before has ended on all shards; the shards have numbers,
// names and states of their own.
func TestPhases(t *testing.T) {
	const shards = 8
	var begun, setUp, ended, tornDown atomic.Int32
	all := func(what string, n *atomic.Int32) {
		if got := n.Load(); got != shards {
			t.Errorf("%s on %d shards", what, got)
		}
	}
	defer testkit.LeakCheck(t)()
	err := Program[*counter]{
		Shards: shards,
		Setup: func(ctx context.Context, s *Shard[*counter]) (*counter, error) {
			begun.Add(1)
			for range s.Index() {
				reactor.Yield(ctx)
			}
			setUp.Add(1)
			return &counter{s.Index()}, nil
		},
		Main: func(ctx context.Context, s *Shard[*counter]) error {
			all("set up", &setUp)
			if s.State().n != s.Index() || s.Peer(s.Index()) != s || len(s.All()) != shards || Of[*counter](ctx) != s {
				t.Errorf("%v has the state of another", s)
			}
			if got := s.Loop().Core().Main(); got != fmt.Sprint("shard ", s.Index()) {
				t.Errorf("%v is called %q", s, got)
			}
			for range shards - s.Index() {
				reactor.Yield(ctx)
			}
			ended.Add(1)
			return nil
		},
		Teardown: func(ctx context.Context, s *Shard[*counter]) error {
			all("ended", &ended)
			tornDown.Add(1)
			return ctx.Err()
		},
	}.Run(t.Context())
	all("torn down", &tornDown)
	if err != nil {
		t.Error(err)
	}
}

func TestRunUsesAllProcessors(t *testing.T) {
	var n atomic.Int32
	if err := Run(t.Context(), func(ctx context.Context, s *Shard[struct{}]) error { n.Add(1); return nil }); err != nil {
		t.Error(err)
	}
	if int(n.Load()) != runtime.GOMAXPROCS(0) {
		t.Errorf("%d shards", n.Load())
	}
}

// A failure of one shard, in any phase and of any kind, ends all of them; Run returns it,
// and no echo of it. States that were set up are torn down.
func TestFailureOfOneShardEndsAll(t *testing.T) {
	const shards, bad = 4, 2
	kinds := map[string]func(ctx context.Context) error{
		"error":  func(context.Context) error { return errBoom },
		"panic":  func(context.Context) error { panic(errBoom) },
		"Goexit": func(context.Context) error { runtime.Goexit(); return nil },
		"panic of a task": func(ctx context.Context) error {
			reactor.Go(ctx, func(context.Context) error { panic(errBoom) })
			return new(reactor.Event).Wait(ctx)
		},
	}
	for _, phase := range []string{"Setup", "Main", "Teardown"} {
		for kind, fail := range kinds {
			if phase == "Teardown" && kind == "panic of a task" {
				continue // nothing cancels a Teardown
			}
			t.Run(phase+" "+kind, func(t *testing.T) {
				defer testkit.LeakCheck(t)()
				var tornDown atomic.Int32
				at := func(ctx context.Context, now string, s *Shard[*counter]) error {
					switch {
					case phase == now && s.Index() == bad:
						return fail(ctx)
					case now == "Main" && phase == "Main":
						return new(reactor.Event).Wait(ctx)
					}
					return nil
				}
				err, exited := runOf(Program[*counter]{
					Shards: shards,
					Setup: func(ctx context.Context, s *Shard[*counter]) (*counter, error) {
						return nil, at(ctx, "Setup", s)
					},
					Main: func(ctx context.Context, s *Shard[*counter]) error { return at(ctx, "Main", s) },
					Teardown: func(ctx context.Context, s *Shard[*counter]) error {
						tornDown.Add(1)
						return at(ctx, "Teardown", s)
					},
				}, t.Context())
				if wants := kind == "Goexit" && phase != "Teardown"; exited != wants {
					t.Errorf("Run's caller exits: %v", exited)
				} else if !exited && kind != "Goexit" && (err == nil || !strings.Contains(err.Error(), "boom") || strings.Count(err.Error(), "boom") > 1 && kind == "error") {
					t.Errorf("Run returned %v", err)
				}
				if n := tornDown.Load(); phase == "Main" && n != shards || phase == "Setup" && n >= shards {
					t.Errorf("%d shards were torn down", n)
				}
			})
		}
	}
}

// runOf runs a program, and reports whether Run called runtime.Goexit.
func runOf(p Program[*counter], ctx context.Context) (err error, exited bool) {
	done := make(chan bool)
	exited = true
	go func() {
		defer close(done)
		err = p.Run(ctx)
		exited = false
	}()
	<-done
	return err, exited
}

// All that fail by themselves are named, in the order of the shards.
func TestErrorsOfSeveralShards(t *testing.T) {
	errs := []error{errors.New("zero"), nil, errors.New("two")}
	err := program(3, func(ctx context.Context, s *Shard[*counter]) error {
		if s.Index() == 1 {
			return new(reactor.Event).Wait(ctx)
		}
		return errs[s.Index()]
	}).Run(t.Context())
	if got := fmt.Sprint(err); got != "zero\ntwo" {
		t.Errorf("Run returned %q", got)
	}
}

// The end of Run's ctx ends Main on all shards, which may take its time; an error that only
// echoes it is returned once.
func TestCancelEndsAll(t *testing.T) {
	defer testkit.LeakCheck(t)()
	ctx, cancel := context.WithCancelCause(t.Context())
	var waiting, drained atomic.Int32
	err := program(4, func(ctx context.Context, s *Shard[*counter]) error {
		if waiting.Add(1) == 4 {
			cancel(errBoom)
		}
		err := new(reactor.Event).Wait(ctx)
		for range 10 {
			reactor.Yield(context.WithoutCancel(ctx))
		}
		// Other shards are still there.
		if _, err := Call(context.WithoutCancel(ctx), s.Peer(3-s.Index()), count); err != nil {
			t.Error(err)
		}
		drained.Add(1)
		return err
	}).Run(ctx)
	if c, ok := errors.AsType[*reactor.CancelError](err); !ok || c.Cause != errBoom || drained.Load() != 4 {
		t.Errorf("%d drained; Run returned %v", drained.Load(), err)
	}
}

func TestRunRefusesMistakes(t *testing.T) {
	main := func(context.Context, *Shard[*counter]) error { return nil }
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := program(2, main).Run(done); !errors.Is(err, context.Canceled) {
		t.Errorf("under a ctx that is done: %v", err)
	}
	if err := program(-1, main).Run(t.Context()); err == nil {
		t.Error("-1 shards")
	}
	if err := program(1, nil).Run(t.Context()); err == nil {
		t.Error("no Main")
	}
	p := program(2, main)
	p.Loop.Clock = struct{ reactor.Clock }{}
	if err := p.Run(t.Context()); err == nil {
		t.Error("a shared Clock")
	}
	reactor.Run(t.Context(), func(ctx context.Context) error {
		if err := program(2, main).Run(ctx); err != reactor.ErrNested {
			t.Errorf("in a task: %v", err)
		}
		return nil
	})
}

// A shard's state is for its own loop; after Run it is for all.
func TestStateIsForItsOwnLoop(t *testing.T) {
	var kept *Shard[*counter]
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		kept = s.Peer(1)
		defer func() {
			if p := fmt.Sprint(recover()); !strings.Contains(p, "State of shard 1 called outside of its loop: use shard.Call") {
				t.Errorf("panic: %v", p)
			}
		}()
		kept.State()
		return nil
	})
	if kept.State().n != 0 {
		t.Error("another state")
	}
}

// A program is not begun unless all of its loops are: a shard can always call another.
func TestProgramIsStoppedAtOnce(t *testing.T) {
	defer testkit.LeakCheck(t)()
	for n := range 200 {
		stopAtOnce(t, n/2, func(ctx context.Context) {
			err := Program[int]{Shards: 1 + n%4, Setup: func(ctx context.Context, s *Shard[int]) (int, error) {
				for _, to := range s.All() {
					if _, err := Call(ctx, to, func(context.Context, *Shard[int]) (int, error) { return 0, nil }); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
				return 0, ctx.Err()
			}, Main: func(ctx context.Context, s *Shard[int]) error {
				return reactor.Sleep(ctx, time.Hour)
			}}.Run(ctx)
			if err != context.Canceled {
				t.Error(err)
			}
		})
	}
}
