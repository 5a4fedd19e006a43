package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func TestDebugModeByTheEnvironment(t *testing.T) {
	t.Setenv("EDDYDEBUG", "1")
	run(t, func(ctx context.Context) error {
		if on, slow := core.Nearest(ctx).Loop().Debugged(); !on || slow != int64(100*time.Millisecond) {
			t.Error("not on")
		}
		return nil
	})
}
