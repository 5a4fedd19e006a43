package reactor_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/virtual"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// The asyncio_*_test.go files replay programs that were recorded on CPython
// (3.11 to 3.13; the newest counts), whose asyncio this package is modelled on.
// Each test has its program's number and holds the lines that CPython printed.
// Where eddy differs on purpose, lines that only CPython prints are marked
// "asyncio|" and those that eddy prints instead "eddy|"; docs/asyncio.md has
// the reasons.

var simulated = flag.Bool("simulated", false, "replay the recorded programs in the world of package reactortest")

// A program is the eddy version of a recorded program.
type program struct {
	t       *testing.T
	want    []string
	lines   []string
	options reactor.Options
	world   *virtual.Poller
	clock   *reactortest.Clock // in the place of world, if it is set
}

// replay makes a program whose lines are compared when the test is over. It
// runs in virtual time, and must leave no goroutine and nothing to report,
// unless its options say otherwise.
func replay(t *testing.T, recorded string) *program {
	t.Helper()
	testkit.Leaks(t)
	p := &program{t: t, want: wanted(recorded), world: virtual.New(t)}
	p.world.Advance(worldBegin)
	p.options = reactor.Options{Clock: p.world, Poller: p.world, OnError: func(r reactor.Report) {
		t.Errorf("reported: %s: %v", r.What, r.Err)
	}}
	t.Cleanup(p.compare)
	return p
}

// inRealTime is for programs that partly run on other threads.
func (p *program) inRealTime() *program {
	p.options.Clock, p.options.Poller = nil, nil
	return p
}

func (p *program) run(main func(ctx context.Context) error) error {
	return p.options.Run(context.Background(), main)
}

// compute takes time without yielding.
func (p *program) compute(d time.Duration) {
	if p.clock != nil {
		p.clock.Spend(d)
	} else {
		p.world.Advance(d)
	}
}

// main runs a program that does not fail.
func (p *program) main(main func(ctx context.Context)) {
	p.t.Helper()
	if *simulated && p.options.Clock != nil {
		p.options.Clock, p.options.Poller = nil, nil
		reactortest.Options{Loop: p.options}.Run(p.t, func(ctx context.Context) {
			p.clock = reactortest.ClockOf(ctx)
			main(ctx)
		})
		return
	}
	err := p.run(func(ctx context.Context) error {
		main(ctx)
		return nil
	})
	if err != nil {
		p.t.Error("the loop ended with", err)
	}
}

func wanted(recorded string) []string {
	var lines []string
	for line := range strings.Lines(strings.Trim(recorded, "\n\t")) {
		line = strings.TrimLeft(line, "\t")
		if !strings.HasPrefix(line, "asyncio|") {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "eddy|")))
		}
	}
	return lines
}

func (p *program) compare() {
	p.t.Helper()
	if !slices.Equal(p.lines, p.want) {
		p.t.Errorf("printed:\n\t%s\nwant:\n\t%s", strings.Join(p.lines, "\n\t"), strings.Join(p.want, "\n\t"))
	}
}

// print prints a line as Python's print does.
func (p *program) print(values ...any) {
	var words []string
	for _, v := range values {
		words = append(words, repr(v))
	}
	p.lines = append(p.lines, strings.TrimSpace(strings.Join(words, " ")))
}

// report prints what a loop reports, in the words of asyncio's handlers.
func (p *program) report(r reactor.Report) {
	what := map[reactor.ReportKind]string{
		reactor.CallbackPanicked: "Exception in callback",
		reactor.TaskFailed:       "Task exception was never retrieved",
		reactor.StepSlow:         "Executing ... took",
		reactor.NotStopped:       "Task was destroyed but it is pending!",
	}[r.Kind]
	if what == "" {
		p.t.Errorf("reported: %s: %v", r.What, r.Err)
	}
	p.print("handler:", what, r.Err)
}

// raised is an error of the recorded program itself, formatted like Python.
type raised string

func (e raised) Error() string { return string(e) }

// repr returns a value as Python prints it.
func repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case []string:
		if len(v) == 0 {
			return "[]"
		}
		return "['" + strings.Join(v, "', '") + "']"
	case []int:
		return strings.ReplaceAll(fmt.Sprint(v), " ", ", ")
	case []error:
		var texts []string
		for _, err := range v {
			texts = append(texts, `"`+errorName(err)+`"`)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case error:
		return errorName(v)
	}
	return fmt.Sprint(v)
}

// errorNames are asyncio's words for errors that eddy has too.
var errorNames = []struct {
	err  error
	name string
}{
	{context.Canceled, "CancelledError"},
	{context.DeadlineExceeded, "TimeoutError"},
	{reactor.ErrNotDone, "InvalidStateError Result is not set."},
	{reactor.ErrSet, "InvalidStateError invalid state"},
	{reactor.ErrSelf, "RuntimeError: Task cannot await on itself:"},
	{reactor.ErrNested, "RuntimeError: asyncio.run() cannot be called from a running event loop"},
	{reactor.ErrLoopClosed, "RuntimeError: Event loop is closed"},
	{reactor.ErrScopeOver, "RuntimeError Cannot change state of finished Timeout"},
	{reactor.ErrClosed, "QueueShutDown"},
	{coro.ErrRunning, "RuntimeError anext(): asynchronous generator is already running"},
	{coro.ErrNotStarted, "TypeError can't send non-None value to a just-started async generator"},
}

func errorName(err error) string {
	if e, ok := err.(raised); ok {
		return string(e)
	}
	if e := (*reactor.PanicError)(nil); errors.As(err, &e) {
		return repr(e.Value)
	}
	for _, n := range errorNames {
		if errors.Is(err, n.err) {
			return n.name
		}
	}
	return err.Error()
}

// panicked calls f and returns what it panics with.
func panicked(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// cancelled returns what asyncio's Task.cancelled does.
func cancelled[T any](t *reactor.Task[T]) bool {
	_, err := t.Result()
	return errors.Is(err, context.Canceled)
}

// cancelling is like asyncio's Task.cancelling, but a ctx doesn't count.
func cancelling(ctx context.Context) int {
	if ctx.Err() != nil {
		return 1
	}
	return 0
}

// wait awaits the ends of tasks, as asyncio.wait does.
func wait[T any](ctx context.Context, tasks ...*reactor.Task[T]) {
	reactor.Wait(ctx, reactor.AllDone, anyTasks(tasks)...)
}

func anyTasks[T any](tasks []*reactor.Task[T]) (all []reactor.AnyTask) {
	for _, t := range tasks {
		all = append(all, t)
	}
	return all
}

// named gives a task a name that nameOf finds again.
func named[T any](name string, t *reactor.Task[T]) *reactor.Task[T] {
	t.SetName(name)
	return t
}

func nameOf(t reactor.AnyTask) string {
	_, name, _ := strings.Cut(t.String(), "(")
	return strings.TrimSuffix(name, ")")
}

const worldBegin = time.Hour
