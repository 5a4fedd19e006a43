//go:build !coro_nested

package core

import "golang.org/x/sys/unix"

const threadSelf = unix.SYS__LWP_SELF
