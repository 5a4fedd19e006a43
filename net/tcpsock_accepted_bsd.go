//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package net

import "github.com/eddyio/eddy/sockets"

// Not every BSD hands TCP_NODELAY and the keep-alive options on from a listener
// to what it accepts, so they are set on each connection.
const inherited = false

func setListenerOptions(sockets.Calls, int, KeepAliveConfig) {}
