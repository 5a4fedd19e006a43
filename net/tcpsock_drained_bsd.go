//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package net

import (
	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/sockets"
)

// shortReadDrains reports whether a read of a TCP stream that did not fill its
// buffer has taken all there was. Here it need not have: such a read stops short at
// the mark of urgent data (tcp(4)), which a kqueue does not report; so each read is
// followed by one that finds nothing. That costs a system call a message, as in
// package net of std. A simulated kernel has no urgent data, and must not be read
// more often on one system than on another.
func shortReadDrains(sys sockets.Calls) bool {
	_, simulated := sys.(simulation.Host)
	return simulated
}
