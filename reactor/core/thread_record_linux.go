//go:build !purego && !coro_nested && (amd64 || arm64 || 386)

package core

import (
	"iter"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// threadRecord returns the address of the runtime's record of the calling thread: the
// field m, the seventh word of type g in runtime/runtime2.go. The runtime does not promise
// that, so it is checked.
func threadRecord() uintptr

// threadsHaveRecords reports whether threadRecord tells threads apart. The first loop
// checks it.
var threadsHaveRecords = sync.OnceValue(func() bool { return recordsAreThreads(threadRecord) })

// recordsAreThreads reports whether record and the system agree on which calls came from
// one thread: calls by goroutines that have a thread each at the same time, by their
// coroutines, and again after they have slept.
func recordsAreThreads(record func() uintptr) bool {
	const threads = 3
	type sample struct {
		record uintptr
		id     int
	}
	take := func() sample { return sample{record(), unix.Gettid()} }
	samples := make(chan sample)
	awake := make(chan struct{})
	for range threads {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			samples <- take()
			samples <- inCoroutine(take)
			<-awake
			samples <- take()
		}()
	}
	idOf, recordOf := map[uintptr]int{0: 0}, map[int]uintptr{}
	agree := true
	note := func(s sample) {
		id, known := idOf[s.record]
		r, seen := recordOf[s.id]
		agree = agree && known == seen && (!known || id == s.id && r == s.record)
		idOf[s.record], recordOf[s.id] = s.id, s.record
	}
	for range 2 * threads {
		note(<-samples)
	}
	close(awake)
	for range threads {
		note(<-samples)
	}
	return agree && len(recordOf) == threads
}

// inCoroutine returns what take returns in a coroutine.
func inCoroutine[T any](take func() T) T {
	next, stop := iter.Pull(func(yield func(T) bool) { yield(take()) })
	defer stop()
	v, _ := next()
	return v
}
