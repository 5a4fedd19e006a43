package reactortest

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
)

var (
	flagSeed  = flag.String("eddy.seed", "", "replay simulations with this `seed` alone, and print their traces")
	flagSeeds = flag.Int("eddy.seeds", 0, "run simulations with the seeds 1 to `n`, in the place of their own")
	flagTrace = flag.Bool("eddy.trace", false, "print the trace of each simulation")
	flagTwice = flag.Bool("eddy.twice", false, "run each simulation twice, and compare the traces")
)

// Options are what can be chosen about a run in virtual time. The zero Options
// are those of [Run] and [Simulate].
type Options struct {
	// Shuffle has the seed decide, in each turn, which of the ready tasks goes
	// first, to flush out what relies on their order. Callbacks keep theirs.
	Shuffle bool

	// Twice runs each seed twice and compares the traces: if they differ,
	// something other than the seed has decided, and the test fails with the
	// place where they part. Both runs are recorded, so it costs more than the
	// double. (Also: -eddy.twice.)
	Twice bool

	// Limit is how long a run may take, in virtual time: one that would go on
	// for ever fails. 0 means a day for Simulate, and none for Run.
	Limit time.Duration

	// OnTrace is called after each run with its trace.
	OnTrace func(*Trace)

	// Record makes traces that can be read, as a replay's always are.
	Record bool

	// Loop is of the loop. Its Clock, Poller and Sockets are the world's, its
	// Grace is a minute unless it is set, and an OnError that is nil makes
	// the test fail for each report.
	Loop reactor.Options
}

// Run runs main as the first task of a loop in virtual time, whose clock jumps
// to the next deadline when every task waits: an hour's sleep takes
// microseconds, and nothing is ever late. The sockets are simulated too, those
// of one host, whose names are "localhost" and "test".
//
// ToThread works as ever, and the clock stands still for it; so do Receive, Post
// and Submit. (To what a goroutine that the loop does not know will do, the clock
// does not wait.) What goes by the system's clock does not see the virtual one:
// see [reactor.Now].
//
// The test fails if a task fails whose error nobody asks for, and if no task can
// ever go on: then it names them all, and what they wait for.
func Run(t testing.TB, main func(ctx context.Context)) {
	t.Helper()
	Options{}.Run(t, main)
}

// Run is as the function [Run], with these options.
func (o Options) Run(t testing.TB, main func(ctx context.Context)) {
	t.Helper()
	w := newWorld(&scripted{}, newSeeded(1, streamOrder))
	w.shuffle, w.limit = o.Shuffle, int64(o.Limit)
	w.trace.recorded = o.Record
	if err := o.run(t, w, func(ctx context.Context, _ *Network) { main(ctx) }); err != nil {
		t.Error(err)
	}
}

// Simulate runs f once for each seed, as the first task of a loop in a simulated
// world: with virtual time, and a network of hosts on which f starts programs.
// They use eddy's net as ever, and whatever is left to chance is the seed's
// choice: the same seed makes the same run, to the last byte. Without seeds,
// they are 1 to 100.
//
// Only the seed decides. ToThread calls its function in place. What would make a
// run differ fails the test, with the stack of the goroutine that did it:
// goroutines that reach for the loop, whose calls return an error, contexts with a
// deadline of the system's clock, signals, real file descriptors. What can't be
// seen, such as a program that asks time.Now, its own random numbers, or the order
// of a map, Options.Twice finds.
//
// When f, or what it started, makes t fail, Simulate ends with the seed and
// the command that replays it: with -eddy.seed, and prints the trace. It fails
// too in the cases of [Run].
func Simulate(t testing.TB, f func(ctx context.Context, n *Network), seeds ...uint64) {
	t.Helper()
	Options{}.Simulate(t, f, seeds...)
}

// Simulate is as the function [Simulate], with these options.
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

// chosen returns the seeds to run, and whether that is a replay.
func chosen(t testing.TB, seeds []uint64) ([]uint64, bool) {
	t.Helper()
	if *flagSeed != "" {
		var seed uint64
		if _, err := fmt.Sscan(*flagSeed, &seed); err != nil {
			t.Fatalf("-eddy.seed=%s: %v", *flagSeed, err)
		}
		return []uint64{seed}, true
	}
	n := *flagSeeds
	if n == 0 && len(seeds) == 0 {
		n = 100
	}
	if n > 0 {
		seeds = nil
		for i := range n {
			seeds = append(seeds, uint64(i+1))
		}
	}
	return seeds, false
}

// one runs one seed, and says whether to go on.
func (o Options) one(t testing.TB, f func(context.Context, *Network), seed uint64, replay bool) bool {
	t.Helper()
	if t.Failed() {
		replay = true // who failed before is not to be told of this seed
	}
	passed := false
	defer func() { // f may call t.FailNow
		if !passed && !replay {
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

// seed makes one run.
func (o Options) seed(t testing.TB, f func(context.Context, *Network), seed uint64, show bool) *Trace {
	t.Helper()
	w := newWorld(newSeeded(seed, streamWorld), newSeeded(seed, streamOrder))
	w.trace.Seed = seed
	o.simulate(t, w, f, show)
	return &w.trace
}

// Script is as [Options.Simulate], with the choices made by a fuzzer's bytes in
// the place of a seed. When they are used up, no more faults happen.
//
//	f.Fuzz(func(t *testing.T, script []byte) {
//		reactortest.Options{}.Script(t, script, func(ctx context.Context, n *reactortest.Network) { ... })
//	})
//
// The bytes of a failure are kept by go test, which says how to replay it; with
// -eddy.trace it prints the trace too.
func (o Options) Script(t testing.TB, script []byte, f func(ctx context.Context, n *Network)) {
	t.Helper()
	dice := &scripted{script}
	w := newWorld(dice, dice)
	w.trace.Seed = hashBytes(script)
	o.simulate(t, w, f, *flagTrace)
}

func (o Options) simulate(t testing.TB, w *world, f func(context.Context, *Network), show bool) {
	t.Helper()
	w.strict, w.shuffle = true, o.Shuffle
	w.trace.recorded = show || o.Record || o.Twice || *flagTrace
	if w.limit = int64(o.Limit); w.limit == 0 {
		w.limit = int64(24 * time.Hour)
	}
	if show || *flagTrace {
		defer func() { t.Logf("the trace of seed %d, hash %016x:\n%v", w.trace.Seed, w.trace.Hash, &w.trace) }()
	}
	defer w.watch(t, watchdogLog)()
	if err := o.run(t, w, f); err != nil {
		t.Error(err)
	}
}

// run runs main in a world.
func (o Options) run(t testing.TB, w *world, main func(context.Context, *Network)) error {
	t.Helper()
	loop := o.Loop
	test := w.network.Host("test")
	loop.Clock, loop.Poller, loop.Sockets = w, w, test.boot
	if loop.Grace == 0 {
		loop.Grace = time.Minute // it costs nothing, and servers have graces of their own
	}
	if loop.OnError == nil {
		loop.OnError = func(r reactor.Report) { t.Errorf("%s: %s: %v", r.Task, r.What, r.Err) }
	}
	defer func() {
		w.trace.Time = w.clock.Now()
		if o.OnTrace != nil {
			o.OnTrace(&w.trace)
		}
	}()
	ctx := context.WithValue(context.Background(), worldKey{}, w)
	ctx = context.WithValue(ctx, simulation.HostKey, test.boot)
	return w.attend(t, func() error {
		return loop.Run(ctx, func(ctx context.Context) error {
			reactor.Current(ctx).SetName("test")
			w.network.ctx = ctx
			main(ctx, &w.network)
			return nil
		})
	})
}

type worldKey struct{}

// worldOf returns the world that ctx belongs to, or nil.
func worldOf(ctx context.Context) *world {
	w, _ := ctx.Value(worldKey{}).(*world)
	return w
}

// Rand returns dice for the program that runs under ctx: those of the seed, in a
// simulation, and others elsewhere. They belong to the caller.
func Rand(ctx context.Context) *rand.Rand {
	if w := worldOf(ctx); w != nil {
		return w.program()
	}
	return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
}

// replayCommand is what to type to see a seed's run again.
func replayCommand(t testing.TB, seed uint64) string {
	var names []string
	for _, name := range strings.Split(t.Name(), "/") {
		names = append(names, "^"+name+"$")
	}
	dir := "."
	if wd, err := os.Getwd(); err == nil {
		dir = "./" + filepath.Base(wd)
	}
	return fmt.Sprintf("go test -run '%s' -v -eddy.seed=%d # in %s", strings.Join(names, "/"), seed, dir)
}
