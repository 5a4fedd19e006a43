//go:build !kqueue_model

package net

import "github.com/eddyio/eddy/sockets"

// An accepted socket inherits TCP_NODELAY and the keep-alive options from its
// listener on Linux (it is a copy of it, sk_clone_lock), so they are set there
// once.
const inherited = true

func setListenerOptions(sys sockets.Calls, fd int, ka KeepAliveConfig) { setTCPOptions(sys, fd, ka) }
