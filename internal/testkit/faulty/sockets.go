// Package faulty injects a kernel's legal but unwelcome results. It provides
// socket calls and a poller for a loop, and a seed or a script chooses the
// faults. The same choices make the same faults.
package faulty

import (
	"math/rand/v2"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// Sockets are the kernel's socket calls with EINTR before any call, EAGAIN
// although there is data (as after a spurious readiness), reads and writes of
// one byte, connections that are gone before they are accepted, and lack of
// resources.
//
// A call that hides data or room from its caller makes the Poller report the fd
// again, as the kernel would if the rest came later.
type Sockets struct {
	sockets.System
	Choose func(n int) int // 0 <= Choose(n) < n; 0 is no fault
	Starve int             // how many more accepts fail for lack of resources
	Poller *Poller
	Counts map[string]int // of the faults, by kind; shared with Poller
}

// New returns the socket calls of a faulty kernel, with its poller in field
// Poller. A loop's Options need both.
func New(t testing.TB, choose func(n int) int) *Sockets {
	t.Helper()
	p := NewPoller(t, choose)
	return &Sockets{Choose: choose, Counts: p.counts, Poller: p}
}

// Seeded returns choices that depend only on the seed.
func Seeded(seed uint64) func(int) int { return rand.New(rand.NewPCG(seed, 0)).IntN }

// Scripted returns the choices that script encodes. After its end there are no
// more faults.
func Scripted(script []byte) func(int) int {
	return func(n int) int {
		if len(script) == 0 {
			return 0
		}
		v := int(script[0]) % n
		script = script[1:]
		return v
	}
}

func (s *Sockets) fault(name string) { s.Counts[name]++ }

// Read reads less than there is, or fails.
func (s *Sockets) Read(fd int, p []byte) (int, syscall.Errno) {
	switch s.Choose(6) {
	case 1:
		s.fault("read EINTR")
		return 0, syscall.EINTR
	case 2:
		s.fault("read EAGAIN")
		s.Poller.Again(fd)
		return 0, syscall.EAGAIN
	case 3:
		s.fault("read of one byte")
		s.Poller.Again(fd)
		return s.System.Read(fd, p[:min(1, len(p))])
	}
	return s.System.Read(fd, p)
}

// Write writes less than it is given, or fails.
func (s *Sockets) Write(fd int, p []byte) (int, syscall.Errno) {
	switch s.Choose(6) {
	case 1:
		s.fault("write EINTR")
		return 0, syscall.EINTR
	case 2:
		s.fault("write EAGAIN")
		s.Poller.Again(fd)
		return 0, syscall.EAGAIN
	case 3:
		s.fault("write of one byte")
		return s.System.Write(fd, p[:min(1, len(p))])
	case 4:
		s.fault("half a write")
		return s.System.Write(fd, p[:(len(p)+1)/2])
	}
	return s.System.Write(fd, p)
}

// Accept finds no connection, one that is gone, or no resources.
func (s *Sockets) Accept(fd int) (int, unix.Sockaddr, error) {
	if s.Starve > 0 {
		s.Starve--
		s.fault("accept without resources")
		return -1, nil, []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM}[s.Choose(4)]
	}
	switch s.Choose(5) {
	case 1:
		s.fault("accept EINTR")
		return -1, nil, unix.EINTR
	case 2:
		s.fault("accept ECONNABORTED")
		return -1, nil, unix.ECONNABORTED
	case 3:
		s.fault("accept EAGAIN")
		s.Poller.Again(fd)
		return -1, nil, unix.EAGAIN
	}
	return s.System.Accept(fd)
}

// Connect may fail with EINTR, and then goes on in the background.
func (s *Sockets) Connect(fd int, addr unix.Sockaddr) error {
	err := s.System.Connect(fd, addr)
	if (err == nil || err == unix.EINPROGRESS) && s.Choose(2) == 1 {
		s.fault("connect EINTR")
		return unix.EINTR
	}
	return err
}
