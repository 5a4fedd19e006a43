package core

import (
	"errors"
	"runtime/debug"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ScratchSize is the size of a loop's [InnerFD.Scratch], in bytes.
const ScratchSize = 64 << 10

// Scratch returns memory of the loop, ScratchSize bytes, which the caller may
// use until the running task suspends, the callback returns, or Scratch is
// called again: for instance to read data into it that is passed on at once. So
// idle connections need no buffer. It costs nothing. With Options.Debug it
// costs some system calls, and a task that uses the memory after its next
// suspension panics with [ErrScratch]. Otherwise that panic comes only in
// IsScratch, if another task has borrowed the memory meanwhile.
func (f *InnerFD) Scratch() []byte { return f.loop.scratch.lend(f.loop) }

// IsScratch reports whether p is part of the loop's Scratch, so that it must be
// copied before the task suspends. It panics with [ErrScratch] if the last
// borrower was neither the running task nor one that started it by GoNow: then
// p holds the other task's data. It costs about 1 ns.
func (f *FD) IsScratch(p []byte) bool {
	s := &f.loop.scratch
	if !isIn(s.memory, uintptr(unsafe.Pointer(unsafe.SliceData(p)))) {
		if s.expired != nil && s.isExpired(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) {
			panic(ErrScratch) // a system call would only return EFAULT
		}
		return false
	}
	if t := f.loop.cur.task; s.lender != idOf(t) {
		s.refuse(t)
	}
	return true
}

// refuse panics, unless t works for the borrower of the memory.
func (s *scratch) refuse(t *Task) {
	if t != nil {
		if maker, ok := t.keeper.(*Task); ok && maker.id == s.lender {
			return
		}
	}
	panic(ErrScratch)
}

func idOf(t *Task) uint32 {
	if t == nil {
		return 0
	}
	return t.id
}

// ErrScratch is the panic value of a task that uses lent memory after its next
// suspension. In debug mode any use panics, otherwise only one that would give
// one connection the bytes of another.
var ErrScratch = errors.New("reactor: memory of the loop's own was used after the task had suspended, when it may hold anything: copy what you need for longer")

// scratch is a loop's memory to lend. In debug mode every borrower gets its own
// memory, which is sealed after the borrower's next suspension; the last few
// stay sealed, to detect late uses.
//
// Invariants: memory is the memory lent last, or nil; expired are mappings that
// can't be accessed, the oldest first, at most maxExpired of them.
type scratch struct {
	memory  []byte
	lender  uint32 // the last borrower; 0 for a callback
	debug   bool
	expired [][]byte
}

const maxExpired = 64

func (s *scratch) lend(l *Loop) []byte {
	s.lender = idOf(l.cur.task)
	if s.memory == nil || s.debug {
		s.prepare(l)
	}
	return s.memory
}

// prepare makes the memory to lend next.
func (s *scratch) prepare(l *Loop) {
	if s.debug {
		s.lendMapping(l)
	} else {
		s.memory = make([]byte, ScratchSize)
	}
}

// lendMapping lends memory that a callback seals. The callback is queued before
// its suspended borrower can be, and so runs first.
func (s *scratch) lendMapping(l *Loop) {
	s.seal(s.memory)
	memory, err := unix.Mmap(-1, 0, ScratchSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		s.memory = make([]byte, ScratchSize) // unwatched
		return
	}
	s.memory = memory
	l.ready.push(&Callback{loop: l, fn: func() { s.seal(memory) }})
}

// seal makes memory inaccessible, if it was lent last.
func (s *scratch) seal(memory []byte) {
	if memory == nil || unsafe.SliceData(s.memory) != unsafe.SliceData(memory) {
		return
	}
	s.memory = nil
	if unix.Mprotect(memory, unix.PROT_NONE) != nil {
		return // it is not a mapping
	}
	if len(s.expired) == maxExpired {
		unix.Munmap(s.expired[0])
		s.expired = append(s.expired[:0], s.expired[1:]...)
	}
	s.expired = append(s.expired, memory)
}

func (s *scratch) isExpired(p uintptr) bool {
	for _, m := range s.expired {
		if isIn(m, p) {
			return true
		}
	}
	return false
}

func isIn(memory []byte, p uintptr) bool {
	return p-uintptr(unsafe.Pointer(unsafe.SliceData(memory))) < uintptr(len(memory))
}

// free unmaps what debug mode has mapped.
func (s *scratch) free() {
	if s.debug {
		s.seal(s.memory)
	}
	for _, m := range s.expired {
		unix.Munmap(m)
	}
	s.expired, s.memory = nil, nil
}

// debug turns debug mode on, before the loop runs.
func (l *Loop) debug() {
	l.scratch.debug = true
	if l.slow == 0 {
		l.slow = 100 * time.Millisecond
	}
}

// watchFaults makes an access to sealed memory, by the calling goroutine, a panic.
func (s *scratch) watchFaults() {
	if s.debug {
		debug.SetPanicOnFault(true)
	}
}

// explain returns ErrScratch if v is the panic of an access to sealed memory,
// and else v.
func (s *scratch) explain(v any) any {
	fault, ok := v.(interface{ Addr() uintptr })
	if ok && s.isExpired(fault.Addr()) {
		return ErrScratch
	}
	return v
}
