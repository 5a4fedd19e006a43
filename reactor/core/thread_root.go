//go:build openbsd || coro_nested || (darwin && purego)

package core

import "github.com/eddyio/eddy/coro"

// threadID returns the root goroutine of the calling coroutine in place of the
// thread's id: on these systems only libc may make system calls, and
// golang.org/x/sys has no call for the id. Coroutines made directly by
// iter.Pull, rather than by package coro, are not recognized; with the tag
// coro_nested they must not be, because they can't suspend a task.
func threadID() uint64 { return uint64(coro.Root()) }
