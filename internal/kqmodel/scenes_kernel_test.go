//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package kqmodel

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// This test does not judge the kernel's answers. If they differ from those
// expected of the system, it prints them as a new table.
func TestScenes(t *testing.T) {
	all := differences(t)
	var table strings.Builder
	different := 0
	for _, s := range observed(t) {
		answers := play(t, s, kernel{})
		want := expect(s, all, system)
		for i, step := range s.steps {
			if answers[i] != want[i] {
				different++
				t.Logf("%s | %s | %d %s | %s\n\texpected %s", system, s.name, i+1, step, answers[i], want[i])
			}
		}
		table.WriteString(s.table(answers))
	}
	if different > 0 {
		t.Logf("%d answers are not what was expected; all of them:\n%s", different, table.String())
	}
}

// table returns a scene's part of a new table of answers.
func (s scene) table(answers []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "== %s\n", s.name)
	for i, step := range s.steps {
		fmt.Fprintf(&b, "%-20s = %s\n", step, answers[i])
	}
	return b.String()
}

// A kernel is a source of answers.
type kernel struct{}

func (kernel) open() (int, error) { return unix.Kqueue() }
func (kernel) close(kq int)       { unix.Close(kq) }

// settle gives the network time. Pipes and Unix sockets need none.
func (kernel) settle(scene string, _ []int) {
	if strings.HasPrefix(scene, "tcp") || strings.HasPrefix(scene, "listener") {
		time.Sleep(10 * time.Millisecond)
	}
}

func (kernel) change(kq, fd int, filter byte, flags ...string) error {
	mode := unix.EVFILT_WRITE
	if filter == 'R' {
		mode = unix.EVFILT_READ
	}
	bits := 0
	for _, name := range flags {
		bits |= map[string]int{
			"add": unix.EV_ADD, "del": unix.EV_DELETE, "enable": unix.EV_ENABLE,
			"clear": unix.EV_CLEAR, "once": unix.EV_ONESHOT,
		}[name]
	}
	var changes [1]unix.Kevent_t
	unix.SetKevent(&changes[0], fd, mode, bits)
	for {
		if _, err := unix.Kevent(kq, changes[:], nil, nil); err != unix.EINTR {
			return err
		}
	}
}

func (kernel) wait(kq, room int, timeout *unix.Timespec) (answers []answer, err error) {
	events := make([]unix.Kevent_t, room)
	n, err := unix.Kevent(kq, nil, events, timeout)
	for _, e := range events[:max(n, 0)] {
		a := answer{
			fd: int(e.Ident), filter: 'W', eof: e.Flags&unix.EV_EOF != 0,
			data: int64(e.Data), flags: uint32(e.Flags),
		}
		if a.eof {
			a.err = unix.Errno(e.Fflags)
		}
		if int(e.Filter) == unix.EVFILT_READ {
			a.filter = 'R'
		}
		answers = append(answers, a)
	}
	return answers, err
}
