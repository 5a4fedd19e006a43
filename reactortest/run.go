package reactortest

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// Options configure a run in virtual time. The zero Options are those of [Run] and
// [Simulate].
type Options struct {
	// Shuffle runs the ready tasks of each turn in an order that the seed decides, to
	// find code that relies on their order. Callbacks keep their order.
	Shuffle bool

	// Twice runs each seed twice and compares the traces. If they differ, something
	// other than the seed has decided: the test fails, and shows where they differ
	// first. Both runs are recorded, which takes more than twice the time. The flag
	// -eddy.twice does the same.
	Twice bool

	// Limit is the longest time, in virtual time, that a run may take. A longer run
	// fails. 0 means a day for Simulate, and no limit for Run.
	Limit time.Duration

	// OnTrace is called after each run with its trace.
	OnTrace func(*Trace)

	// Record keeps the text of traces. Replays always do.
	Record bool

	// Loop configures the loop. Its Clock, Poller and Sockets are ignored. A Grace of 0
	// means a minute. If OnError is nil, each report fails the test.
	Loop reactor.Options
}

// Run runs main as the first task of a loop in virtual time. When every task waits, the
// clock jumps to the next deadline: an hour's sleep takes microseconds, and no timer is
// late. The sockets are simulated too. They belong to one host with the names
// "localhost" and "test".
//
// ToThread, Receive, Post and Submit work as ever. The clock stands still while ToThread
// runs. It does not wait for goroutines that the loop does not know. Code that uses the
// system's clock does not see the virtual one: see [reactor.Now].
//
// The test fails if a task returns an error that nothing asks for, and if no task can
// ever go on. A deadlock report names all tasks and what they wait for.
//
// Any task and callback may call t.FailNow or t.SkipNow: that ends the run and the test.
func Run(t testing.TB, main func(ctx context.Context)) {
	t.Helper()
	Options{}.Run(t, main)
}

// Run is like the function [Run], with these options.
func (o Options) Run(t testing.TB, main func(ctx context.Context)) {
	t.Helper()
	sim := newSimulator(t, &scripted{}, newSeeded(1, streamTasks))
	sim.shuffle, sim.limit = o.Shuffle, int64(o.Limit)
	sim.trace.recorded = o.Record
	if err := o.run(t, sim, func(ctx context.Context, _ *Network) { main(ctx) }); err != nil {
		t.Error(err)
	}
}

// Simulate runs f once for each seed, as the first task of a simulated loop: with
// virtual time, and a network of hosts on which f starts programs. The programs use
// package net as ever. The seed makes all random decisions: the same seed makes the same
// run, to the last byte. Without seeds, Simulate uses 1 to 100.
//
// ToThread calls its function in place. Anything that would make runs of one seed differ
// fails the test with a stack trace: calls to the loop by other goroutines, which also
// return an error; contexts with a deadline of the system's clock; signals; real file
// descriptors. Some causes can't be detected, such as time.Now, other random numbers, or
// the order of a map. Options.Twice finds those.
//
// When f, or a task it started, makes t fail, Simulate stops. It prints the seed and the
// command that replays it and prints the trace. It also fails in the cases of [Run].
// FailNow and SkipNow end the run and the test in any task, as they do in Run.
func Simulate(t testing.TB, f func(ctx context.Context, n *Network), seeds ...uint64) {
	t.Helper()
	Options{}.Simulate(t, f, seeds...)
}

// Simulate is like the function [Simulate], with these options.
func (o Options) Simulate(t testing.TB, f func(ctx context.Context, n *Network), seeds ...uint64) {
	t.Helper()
	o.Twice = o.Twice || *flagTwice
	seeds, replay := chosen(t, seeds)
	for _, seed := range seeds {
		if !o.one(t, f, seed, replay) {
			return
		}
	}
}

// one runs one seed, and reports whether it passed.
func (o Options) one(t testing.TB, f func(context.Context, *Network), seed uint64, replay bool) bool {
	t.Helper()
	if t.Failed() {
		replay = true // t failed before: this seed is not the reason
	}
	passed := false
	defer func() { // f may call t.FailNow
		if !passed && !replay && !t.Skipped() {
			t.Errorf("seed %d failed. To replay it, with its trace:\n\t%s", seed, replayCommand(t, seed))
		}
	}()
	first := o.seed(t, f, seed, replay)
	if t.Failed() {
		return false
	}
	if o.Twice {
		if second := o.seed(t, f, seed, false); second.Hash != first.Hash {
			t.Errorf("seed %d: a second run with the same seed went another way: something other than the seed has decided. Here they part:\n%s",
				seed, parting(first, second))
			return false
		}
	}
	passed = true
	return true
}

// seed makes one run with a seed and returns its trace.
func (o Options) seed(t testing.TB, f func(context.Context, *Network), seed uint64, show bool) *Trace {
	t.Helper()
	sim := newSimulator(t, newSeeded(seed, streamNetwork), newSeeded(seed, streamTasks))
	sim.trace.Seed = seed
	o.simulate(t, sim, f, show)
	return &sim.trace
}

// Script is like [Options.Simulate], with a fuzzer's bytes in place of a seed. After the
// end of the bytes, no more faults happen.
//
//	f.Fuzz(func(t *testing.T, script []byte) {
//		reactortest.Options{}.Script(t, script, func(ctx context.Context, n *reactortest.Network) { ... })
//	})
//
// go test keeps the bytes of a failure, and prints how to replay it. With -eddy.trace it
// prints the trace too.
func (o Options) Script(t testing.TB, script []byte, f func(ctx context.Context, n *Network)) {
	t.Helper()
	c := &scripted{script}
	sim := newSimulator(t, c, c)
	sim.trace.Seed = hashBytes(script)
	o.simulate(t, sim, f, *flagTrace)
}

func (o Options) simulate(t testing.TB, sim *simulator, f func(context.Context, *Network), show bool) {
	t.Helper()
	sim.strict, sim.shuffle = true, o.Shuffle
	sim.trace.recorded = show || o.Record || o.Twice || *flagTrace
	if sim.limit = int64(o.Limit); sim.limit == 0 {
		sim.limit = int64(24 * time.Hour)
	}
	if show || *flagTrace {
		defer func() { t.Logf("the trace of seed %d, hash %016x:\n%v", sim.trace.Seed, sim.trace.Hash, &sim.trace) }()
	}
	defer sim.watch(t, watchdogLog)()
	if err := o.run(t, sim, f); err != nil {
		t.Error(err)
	}
}

// run runs main in a loop with sim.
func (o Options) run(t testing.TB, sim *simulator, main func(context.Context, *Network)) error {
	t.Helper()
	loop := o.Loop
	test := sim.network.Host("test")
	loop.Simulation = sim
	if loop.Grace == 0 {
		loop.Grace = time.Minute // of virtual time; longer than that of servers
	}
	onError := loop.OnError
	if onError == nil {
		onError = func(r reactor.Report) { t.Errorf("%s: %s: %v", r.Task, r.What, r.Err) }
	}
	loop.OnError = func(r reactor.Report) {
		if !sim.learn(r.Err) {
			onError(r)
		}
	}
	defer func() {
		sim.trace.Time = sim.clock.Now()
		if o.OnTrace != nil {
			o.OnTrace(&sim.trace)
		}
	}()
	ctx := context.WithValue(context.Background(), simulatorKey{}, sim)
	ctx = simulation.WithHost(ctx, test.proc)
	return sim.runLoop(t, func() error {
		return loop.Run(ctx, func(ctx context.Context) error {
			reactor.Current(ctx).SetName("test")
			sim.network.ctx = ctx
			main(ctx, &sim.network)
			if err := core.Nearest(ctx).Loop().Check(); err != nil {
				t.Error(err)
			}
			return nil
		})
	})
}

type simulatorKey struct{}

// simulatorOf returns the simulator of ctx's loop, or nil.
func simulatorOf(ctx context.Context) *simulator {
	sim, _ := ctx.Value(simulatorKey{}).(*simulator)
	return sim
}

// Rand returns a random generator for the program that runs under ctx: in a simulation,
// one that the seed decides. Each call returns another generator.
func Rand(ctx context.Context) *rand.Rand {
	if sim := simulatorOf(ctx); sim != nil {
		return sim.newRand()
	}
	return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
}
