//go:build !purego && !coro_nested && (amd64 || arm64 || 386)

package core

import (
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/coro"
)

// The runtime of this version of Go keeps the record of a goroutine's thread where eddy
// reads it: else each call of a goroutine would cost a system call more.
func TestThreadsHaveRecords(t *testing.T) {
	for range 20 {
		if !recordsAreThreads(threadRecord) {
			t.Fatal("they have none with", runtime.Version())
		}
	}
}

// What is no thread's record is not taken for one.
func TestThreadRecordsAreChecked(t *testing.T) {
	var calls atomic.Int64
	for name, record := range map[string]func() uintptr{
		"nothing":           func() uintptr { return 0 },
		"the same for all":  func() uintptr { return 1 },
		"the goroutine's":   coro.Self,
		"another each time": func() uintptr { return uintptr(calls.Add(1)) },
	} {
		if recordsAreThreads(record) {
			t.Error(name, "is taken for the thread's record")
		}
	}
}

func BenchmarkThreadID(b *testing.B) {
	b.Run("record", func(b *testing.B) {
		for b.Loop() {
			threadID()
		}
	})
	b.Run("gettid", func(b *testing.B) {
		for b.Loop() {
			unix.Gettid()
		}
	})
}
