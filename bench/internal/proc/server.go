//go:build linux

package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Server is a server's process that has printed its address.
type Server struct {
	Addr string // host:port
	PID  int

	cmd   *exec.Cmd
	lines *bufio.Reader // its further output
	errs  tail
}

// patience is how long a server may take to print a line: an interpreter on a
// busy machine needs seconds to start.
const patience = 30 * time.Second

// Start starts a program on a processor and waits until it has printed
// "listening on HOST:PORT". The program dies with the calling process.
func Start(cpu int, argv ...string) (*Server, error) {
	s := &Server{cmd: exec.Command(argv[0], argv[1:]...)}
	s.cmd.Stderr = &s.errs
	// The signal comes when the thread that starts it ends; Go ends a thread
	// only with a goroutine that is locked to it (see prctl(2),
	// PR_SET_PDEATHSIG).
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := StartOn(cpu, s.cmd); err != nil {
		return nil, err
	}
	s.PID, s.lines = s.cmd.Process.Pid, bufio.NewReader(out)
	line, err := s.hear()
	addr, ok := strings.CutPrefix(line, "listening on ")
	if err == nil && !ok {
		err = fmt.Errorf("it printed %q instead of its address", line)
	}
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("starting %s: %w%s", argv[0], err, s.errs.quote())
	}
	s.Addr = addr
	return s, nil
}

// hear waits for the next line that the server prints.
func (s *Server) hear() (string, error) {
	late := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	line, err := s.lines.ReadString('\n')
	if !late.Stop() {
		return "", fmt.Errorf("it printed nothing for %v", patience)
	}
	if err == io.EOF {
		err = errors.New("it ended")
	}
	return strings.TrimSuffix(line, "\n"), err
}

// Collect makes a server that is a Go program collect its garbage and return
// free memory, and waits until it has. Other programs die of the signal: call
// it only for servers that use package serve.
func (s *Server) Collect() error {
	if err := s.cmd.Process.Signal(unix.SIGUSR2); err != nil {
		return err
	}
	line, err := s.hear()
	if err == nil && line != "collected" {
		err = fmt.Errorf("the server printed %q when asked to collect garbage", line)
	}
	return err
}

// Stop kills the server and waits for its end.
func (s *Server) Stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// StartOn starts cmd on one processor: a child inherits the affinity of the
// thread that starts it. If the affinity can't be set, the command runs
// anywhere.
func StartOn(cpu int, cmd *exec.Cmd) (err error) {
	if !On(cpu, func() { err = cmd.Start() }) {
		err = cmd.Start()
	}
	return err
}

// On calls f on one processor, and then restores the thread's affinity. It
// returns false without calling f if the affinity can't be set.
func On(cpu int, f func()) bool {
	runtime.LockOSThread() // this also keeps new threads from inheriting the affinity: the runtime clones them elsewhere
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	one.Set(cpu)
	if unix.SchedGetaffinity(0, &before) != nil || unix.SchedSetaffinity(0, &one) != nil {
		return false
	}
	defer unix.SchedSetaffinity(0, &before)
	f()
	return true
}

// tail keeps the end of a server's standard error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailSize):]
	return len(p), nil
}

func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.TrimSpace(t.text)
	if len(text) == 0 {
		return ""
	}
	return "; its standard error:\n" + string(text)
}

// Complaints returns the end of the server's standard error.
func (s *Server) Complaints() string { return s.errs.quote() }
