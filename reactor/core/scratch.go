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

// Scratch returns memory of the loop's own, ScratchSize bytes, which the caller
// may use until the running task suspends, or the callback returns, or somebody
// asks for it again: to read into it, say, what is passed on at once. So what is
// idle needs no buffer. It costs nothing; with Options.Debug, some system calls,
// and then a task that touches the memory after its next suspension panics with
// [ErrScratch]. Without it, that panic comes only in IsScratch, if another task has
// borrowed the memory meanwhile.
func (f *InnerFD) Scratch() []byte { return f.loop.scratch.lend(f.loop) }

// IsScratch reports whether p is part of the loop's Scratch, so that it must be
// copied before the task suspends. It panics with [ErrScratch] if another task than the
// running one, or one that started it by GoNow, borrowed it last: what p holds is then the
// other one's. It costs about 1 ns.
func (f *FD) IsScratch(p []byte) bool {
	s := &f.loop.scratch
	if !isIn(s.memory, uintptr(unsafe.Pointer(unsafe.SliceData(p)))) {
		if s.expired != nil && s.isExpired(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) {
			panic(ErrScratch) // a system call would only say EFAULT
		}
		return false
	}
	if t := f.loop.cur.task; s.lender != idOf(t) {
		s.refuse(t)
	}
	return true
}

// refuse panics, unless t works for the one that borrowed the memory.
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

// ErrScratch is what a task panics with that uses memory after the suspension until
// which it was lent. In debug mode any use does, and else only what would give one
// connection the bytes of another.
var ErrScratch = errors.New("reactor: memory of the loop's own was used after the task had suspended, when it may hold anything: copy what you need for longer")

// scratch is a loop's memory to lend. In debug mode every borrower gets memory
// of its own, which is sealed after the borrower's next suspension; the last
// few that were sealed stay so, to tell who uses them.
//
// Invariants: memory is what was lent last, or nil; expired are mappings that
// can't be accessed, the oldest first, at most maxExpired of them.
type scratch struct {
	memory  []byte
	lender  uint32 // the task that borrowed it last; 0 for a callback
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

// prepare makes the memory that is lent next.
func (s *scratch) prepare(l *Loop) {
	if s.debug {
		s.lendMapping(l)
	} else {
		s.memory = make([]byte, ScratchSize)
	}
}

// lendMapping lends memory that a callback seals. The callback is queued before
// its borrower can be, once it has suspended, and so comes first.
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

// seal makes memory inaccessible, if it is what was lent last.
func (s *scratch) seal(memory []byte) {
	if memory == nil || unsafe.SliceData(s.memory) != unsafe.SliceData(memory) {
		return
	}
	s.memory = nil
	if unix.Mprotect(memory, unix.PROT_NONE) != nil {
		return // it is no mapping
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

// explain returns what a panic with v means: ErrScratch, if it was an access to
// sealed memory.
func (s *scratch) explain(v any) any {
	fault, ok := v.(interface{ Addr() uintptr })
	if ok && s.isExpired(fault.Addr()) {
		return ErrScratch
	}
	return v
}
