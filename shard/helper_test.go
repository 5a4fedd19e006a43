package shard

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
)

var errBoom = errors.New("boom")

func TestMain(m *testing.M) {
	testkit.Settle()
	os.Exit(m.Run())
}

// counter is a shard's state in these tests.
type counter struct{ n int }

// run runs main on so many shards with a counter each, and fails t if that fails or
// leaves goroutines or descriptors behind.
func run(t testing.TB, shards int, main func(ctx context.Context, s *Shard[*counter]) error) {
	t.Helper()
	defer testkit.LeakCheck(t)()
	if err := program(shards, main).Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func program(shards int, main func(ctx context.Context, s *Shard[*counter]) error) Program[*counter] {
	return Program[*counter]{
		Shards: shards, Main: main,
		Setup: func(ctx context.Context, s *Shard[*counter]) (*counter, error) { return new(counter), nil },
	}
}

// first runs main on shard 0 of several only; the others serve its calls.
func first(t testing.TB, shards int, main func(ctx context.Context, s *Shard[*counter]) error) {
	t.Helper()
	run(t, shards, func(ctx context.Context, s *Shard[*counter]) error {
		if s.Index() != 0 {
			return nil
		}
		return main(ctx, s)
	})
}
