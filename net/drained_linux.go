//go:build !kqueue_model

package net

// shortReadDrains: a read of a TCP stream that did not fill its buffer has taken
// all there was, unless the kernel has told of urgent data (eddy.Urgent, EPOLLPRI
// in epoll_ctl(2)), at whose mark reads stop short.
const shortReadDrains = true
