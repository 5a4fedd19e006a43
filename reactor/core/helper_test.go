package core_test

import (
	"context"
	"errors"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/virtual"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

var (
	errBoom  = errors.New("boom")
	errOther = errors.New("another")
)

// runWith runs main on a loop, which is checked at its end.
func runWith(t testing.TB, ctx context.Context, o reactor.Options, main func(ctx context.Context) error) error {
	t.Helper()
	defer testkit.LeakCheck(t)()
	var l *core.Loop
	err := o.Run(ctx, func(ctx context.Context) error {
		l = core.Nearest(ctx).Loop()
		return main(ctx)
	})
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	return err
}

// run runs main on a virtual clock and poller, and fails the test if it fails.
func run(t testing.TB, main func(ctx context.Context) error) {
	t.Helper()
	v := virtual.New(t)
	if err := runWith(t, context.Background(), reactor.Options{Clock: v, Poller: v}, main); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

// yields gives everybody else n turns.
func yields(ctx context.Context, n int) {
	for range n {
		reactor.Yield(ctx)
	}
}

// reports is what a loop had to say to Options.OnError.
type reports []reactor.Report

func (rs *reports) add(r reactor.Report) { *rs = append(*rs, r) }
