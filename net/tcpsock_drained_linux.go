//go:build !kqueue_model

package net

import "github.com/eddyio/eddy/sockets"

// shortReadDrains reports whether a read of a TCP stream that did not fill its
// buffer has taken all there was. It has, unless the kernel has reported urgent data
// (eddy.Urgent, EPOLLPRI in epoll_ctl(2)), at whose mark reads stop short.
func shortReadDrains(sockets.Calls) bool { return true }
