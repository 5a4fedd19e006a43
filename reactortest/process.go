package reactortest

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/sockets"
)

// A process is a host's program from one start to the next. It has the socket calls
// that the program makes. Calls of a process that has ended fail.
//
// Invariant: paths holds the sockets that have a name in the Unix domain.
type process struct {
	host      *Host
	kernel    *kernel
	ended     bool // stopped, or crashed
	files     int  // open descriptors
	paths     map[string]*socket
	autobound uint16 // the last name chosen for a socket in the Unix domain
}

var _ simulation.Host = (*process)(nil)

// newProcess returns h's next process. It runs on a new kernel if h is off.
func newProcess(h *Host) *process {
	proc := &process{host: h, paths: make(map[string]*socket)}
	if h.proc != nil && h.proc.kernel.up {
		proc.kernel = h.proc.kernel
	} else {
		proc.kernel = newKernel()
	}
	return proc
}

func (proc *process) sim() *simulator { return proc.host.net.sim }

// socket returns the socket of a descriptor.
func (proc *process) socket(fd int) (*socket, error) {
	s, err := proc.sim().file(fd)
	if err == nil && s.processEnded() {
		err = syscall.ENETDOWN
	}
	return s, err
}

func (proc *process) Socket(family, typ, _ int) (int, error) {
	if proc.ended || !proc.kernel.up {
		return -1, syscall.ENETDOWN
	}
	switch {
	case family != unix.AF_INET && family != unix.AF_INET6 && family != unix.AF_UNIX:
		return -1, syscall.EAFNOSUPPORT
	case typ != unix.SOCK_STREAM && typ != unix.SOCK_DGRAM:
		return -1, syscall.EPROTONOSUPPORT
	case proc.isFull():
		return -1, syscall.EMFILE
	}
	return proc.open(newSocket(proc, family, typ)), nil
}

func (proc *process) isFull() bool {
	max := proc.host.faults.MaxFiles
	return max > 0 && proc.files >= max
}

// open gives a socket a free descriptor.
func (proc *process) open(s *socket) int {
	sim := proc.sim()
	i := len(sim.files)
	if last := len(sim.free) - 1; last >= 0 {
		i, sim.free = sim.free[last], sim.free[:last]
		sim.files[i] = s
	} else {
		sim.files = append(sim.files, s)
	}
	proc.files++
	s.fd = firstFD + i
	return s.fd
}

func (proc *process) Close(fd int) error {
	s, err := proc.sim().file(fd)
	if err != nil {
		return err
	}
	sim := proc.sim()
	i := fd - firstFD
	sim.files[i] = nil
	sim.free = append(sim.free, i)
	s.proc.files--
	s.fd, s.polled = -1, false
	if !s.processEnded() {
		sim.record(kindClose, s.proc, s.id, 0, func() string { return s.String() + ": is closed" })
		s.close()
	}
	return nil
}

// Dup fails: its only use is to pass the descriptor to code that is not simulated.
func (proc *process) Dup(int) (int, error) { return -1, syscall.ENOTSUP }

// SendFile is not supported. The caller copies then.
func (proc *process) SendFile(fd, _ int, _ int64, _ int) (int, syscall.Errno) {
	if _, err := proc.socket(fd); err != nil {
		return 0, errnoOf(err)
	}
	return 0, syscall.ENOSYS
}

// LookupHost returns the addresses of a host of the network.
func (proc *process) LookupHost(name string) ([]netip.Addr, error) {
	return proc.host.net.lookup(proc.host, name)
}

// Resolver returns the names of the hosts of the network.
func (proc *process) Resolver() sockets.Resolver { return proc }

// Pipe fails: there is no splice. The caller copies then.
func (proc *process) Pipe() (r, w int, err error) { return -1, -1, syscall.ENOSYS }

func (proc *process) Splice(to, from, n int) (int, syscall.Errno) { return 0, syscall.ENOSYS }

// Unlink removes the name of a socket in the Unix domain, as unlink(2) does.
func (proc *process) Unlink(path string) error {
	if proc.paths[path] == nil {
		return syscall.ENOENT
	}
	delete(proc.paths, path)
	return nil
}

// errnoOf returns the errno of an error of simulator.file.
func errnoOf(err error) syscall.Errno {
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	return syscall.EBADF
}

// firstFD is the first simulated file descriptor. It is far above any real one, so
// that a real system call with it fails with EBADF.
const firstFD = 1 << 30
