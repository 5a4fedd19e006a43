// Package programs runs the program of a package main in the package's own tests.
//
// The program is the test's executable, which calls main where the environment says so:
// thus it has the tags, the processor and the race detector of the test, and nothing is
// built for it.
package programs

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

const variable = "EDDY_TEST_CALLS_MAIN"

// Main is for TestMain: it runs the tests, or calls main in a process of [Command].
func Main(m *testing.M, main func()) {
	if os.Getenv(variable) != "" {
		os.Unsetenv(variable)
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Command returns the command that runs the program. A package that uses it calls [Main]
// in its TestMain.
func Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	// The race detector sleeps for a second at a process's end, unless told not to.
	cmd.Env = append(os.Environ(), variable+"=1", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	return cmd
}

// A Server is a program that says where it listens. It is killed when the test is over.
type Server struct {
	Addr    string // what follows "listening on" in its first line
	Process *os.Process

	cmd    *exec.Cmd
	log    bytes.Buffer
	ended  chan struct{}
	status error
}

// Start runs the program, and waits until it listens.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return Serve(t, Command(t, args...))
}

// Serve is [Start] for any command.
func Serve(t testing.TB, cmd *exec.Cmd) *Server {
	t.Helper()
	s := &Server{cmd: cmd, ended: make(chan struct{})}
	cmd.Stderr = &s.log
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = in
	err = cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		t.Fatal(err)
	}
	s.Process = cmd.Process
	go func() { s.status = cmd.Wait(); close(s.ended) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-s.ended })
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	go func() { io.Copy(io.Discard, said); out.Close() }() // it may say more
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		cmd.Process.Kill()
		t.Fatalf("the program said %q, %v\n%s", line, err, s.Log())
	}
	s.Addr = addr
	return s
}

// Ended is closed when the program has ended.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Status waits until the program has ended, and returns nil if its exit status is 0.
func (s *Server) Status() error { <-s.ended; return s.status }

// State describes how the program ended, for which it waits.
func (s *Server) State() *os.ProcessState { <-s.ended; return s.cmd.ProcessState }

// Log returns what the program has written to its standard error, for whose end it waits.
func (s *Server) Log() string { <-s.ended; return s.log.String() }

// Interrupt interrupts the program, which must end well.
func (s *Server) Interrupt(t testing.TB) {
	t.Helper()
	s.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
		if s.status != nil {
			t.Errorf("after an interrupt: %v\n%s", s.status, s.Log())
		}
	case <-time.After(testkit.Patience):
		t.Error("the program goes on after an interrupt")
	}
}
