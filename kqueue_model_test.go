//go:build linux && kqueue_model

package eddy

import (
	"time"

	"github.com/eddyio/eddy/internal/kqmodel"
)

// tick is the unit of the kernel's sleeps, 0 if it is short.
func tick() time.Duration { return kqmodel.Tick() }

// repeats reports whether the kernel repeats reports at random.
func repeats() bool { return kqmodel.Repeats() }
