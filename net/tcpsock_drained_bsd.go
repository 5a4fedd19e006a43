//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package net

import (
	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/sockets"
)

// shortReadDrains reports whether a read of a TCP stream that did not fill its
// buffer has taken all there was. Here it may not have: a read stops at the
// mark of urgent data (tcp(4)), which a kqueue does not report. So each read is
// followed by one that finds nothing, which costs a system call per message, as
// in std's net. A simulated kernel has no urgent data, and must be read equally
// often on all systems.
func shortReadDrains(sys sockets.Calls) bool {
	_, simulated := sys.(simulation.Host)
	return simulated
}
