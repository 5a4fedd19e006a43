package net

import "golang.org/x/sys/unix"

// FreeBSD's SO_REUSEPORT gives all connections to the last listener; its
// SO_REUSEPORT_LB spreads them (setsockopt(2), since 12.0).
const reusePort = unix.SO_REUSEPORT_LB
