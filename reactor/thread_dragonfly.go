//go:build !coro_nested

package reactor

import "golang.org/x/sys/unix"

const threadSelf = unix.SYS_LWP_GETTID
