//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package net

import "github.com/eddyio/eddy/sockets"

// Not on every BSD do accepted connections inherit TCP_NODELAY and the
// keep-alive options from the listener, so they are set on each connection.
const inherited = false

func setListenerOptions(sockets.Calls, int, KeepAliveConfig) {}
