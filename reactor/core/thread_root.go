//go:build openbsd || coro_nested || (darwin && purego)

package core

import "github.com/eddyio/eddy/coro"

// threadID stands for the thread by the goroutine from which the calling
// coroutine descends: these systems let only libc make system calls, and
// golang.org/x/sys has no call for the thread's id. Coroutines made by iter.Pull
// directly, rather than by package coro, are not recognized; with the tag coro_nested
// they must not be, for they can't suspend a task.
func threadID() uint64 { return uint64(coro.Root()) }
