//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package net

// shortReadDrains: a read of a TCP stream stops short at the mark of urgent data
// (tcp(4)), of which a kqueue does not tell; so each read is followed by one that
// finds nothing. That costs a system call a message, as in package net of std.
const shortReadDrains = false
