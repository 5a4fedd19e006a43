//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
)

// A terminal is both ends of a pseudo terminal, and what was printed on it.
type terminal struct {
	user, program *os.File

	mu      sync.Mutex
	printed bytes.Buffer
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no pseudo terminals: ", err)
	}
	t.Cleanup(func() { user.Close() })
	fd := int(user.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	program, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no pseudo terminals: ", err)
	}
	t.Cleanup(func() { program.Close() })
	tty := &terminal{user: user, program: program}
	tty.size(t, 80, 20)
	go func() {
		var b [4096]byte
		for {
			n, err := user.Read(b[:])
			if err != nil {
				return
			}
			tty.mu.Lock()
			tty.printed.Write(b[:n])
			tty.mu.Unlock()
		}
	}()
	return tty
}

func (tty *terminal) size(t *testing.T, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(tty.program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

func (tty *terminal) settings(t *testing.T) unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(tty.program.Fd()), getTermios)
	if err != nil {
		t.Fatal(err)
	}
	return *s
}

// has waits until a text has been printed so many times.
func (tty *terminal) has(t *testing.T, text string, times int) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("%q is printed %d times", text, times), func() bool {
		time.Sleep(time.Millisecond)
		tty.mu.Lock()
		defer tty.mu.Unlock()
		return strings.Count(tty.printed.String(), text) >= times
	})
}

// However a page of top ends, the terminal is as it was before.
func TestTopGivesTheTerminalBack(t *testing.T) {
	path, _ := answer(t, "", chat(100))
	for name, end := range map[string]func(tty *terminal, p *os.Process){
		"q":       func(tty *terminal, _ *os.Process) { tty.user.WriteString("xq") },
		"ctrl-c":  func(tty *terminal, _ *os.Process) { tty.user.Write([]byte{ctrlC}) },
		"SIGINT":  func(_ *terminal, p *os.Process) { p.Signal(os.Interrupt) },
		"SIGTERM": func(_ *terminal, p *os.Process) { p.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(_ *terminal, p *os.Process) { p.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			tty := newTerminal(t)
			before := tty.settings(t)
			cmd := eddyCommand(t, nil, "top", "-every", "100ms", path)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty.program, tty.program, tty.program
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			tty.has(t, "loop 1 main.main", 3)
			if tty.settings(t) == before {
				t.Error("keys wait for the end of their line")
			}
			end(tty, cmd.Process)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if tty.settings(t) != before {
				t.Error("the terminal's settings are not as before")
			}
			tty.has(t, leaveScreen, 1)
			tty.mu.Lock()
			defer tty.mu.Unlock()
			if !bytes.HasPrefix(tty.printed.Bytes(), []byte(enterScreen)) || !bytes.HasSuffix(tty.printed.Bytes(), []byte(leaveScreen)) {
				t.Errorf("printed %q", tty.printed.String())
			}
		})
	}
}

// A page has no more lines than the terminal, also when that changes.
func TestTopFitsTheTerminal(t *testing.T) {
	path, _ := answer(t, "", chat(100))
	tty := newTerminal(t)
	cmd := eddyCommand(t, nil, "top", "-every", "1h", path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty.program, tty.program, tty.program
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.has(t, restOfPage, 1)
	tty.size(t, 60, 8)
	cmd.Process.Signal(syscall.SIGWINCH)
	tty.has(t, restOfPage, 2)
	tty.user.WriteString("q")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	tty.mu.Lock()
	defer tty.mu.Unlock()
	pages := strings.Split(tty.printed.String(), home)[1:]
	for i, most := range []int{19, 7} {
		if n := strings.Count(pages[i], "\n"); n > most || n < most-5 {
			t.Errorf("page %d has %d lines, want at most %d:\n%s", i, n, most, pages[i])
		}
	}
}

// An error that comes before the page is printed below the command.
func TestTopFailsOnTheOrdinaryPage(t *testing.T) {
	tty := newTerminal(t)
	cmd := eddyCommand(t, nil, "top", "/no/such/socket")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty.program, tty.program, tty.program
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
		t.Error(err)
	}
	tty.has(t, "there is no socket", 1)
	tty.mu.Lock()
	defer tty.mu.Unlock()
	if strings.Contains(tty.printed.String(), "\x1b") {
		t.Errorf("printed %q", tty.printed.String())
	}
}

func TestTraceIsNotPrintedOnATerminal(t *testing.T) {
	path, _ := answer(t, "", chat(1))
	tty := newTerminal(t)
	cmd := eddyCommand(t, nil, "trace", path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty.program, tty.program, tty.program
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 2 {
		t.Error(err)
	}
	tty.has(t, "a trace is for a file", 1)
}
