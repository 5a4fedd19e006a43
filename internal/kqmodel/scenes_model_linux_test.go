package kqmodel

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
)

var scenesTo = flag.String("scenes", "", "write to this file the answers that differ from NetBSD's, in the format of differences.txt")

// In NetBSD's personality the model answers like the recorded kernel, and in
// those of other systems with the differences in differences.txt.
func TestScenes(t *testing.T) {
	all := differences(t)
	used := make([]bool, len(all))
	for _, p := range append(systems, &strict) {
		t.Run(p.name, func(t *testing.T) {
			for _, s := range observed(t) {
				answers := play(t, s, model{p})
				names := []string{"model", p.name, "model:" + p.name}
				want := expect(s, all, names...)
				for i, step := range s.steps {
					if answers[i] != want[i] {
						t.Errorf("%s | %s | %d %s | %s\n\twant %s", p.name, s.name, i+1, step, answers[i], want[i])
					}
					if answers[i] != s.answers[i] {
						writeDifference(t, fmt.Sprintf("%s | %s | %d %s | %s\n", p.name, s.name, i+1, step, answers[i]))
					}
				}
				for i, d := range all {
					applies := slices.ContainsFunc(d.systems, func(s string) bool { return slices.Contains(names, s) })
					used[i] = used[i] || applies && d.scene == s.name && d.step <= len(answers) && answers[d.step-1] == d.answer
				}
			}
		})
	}
	for i, d := range all {
		if !used[i] {
			t.Errorf("nothing answers %q to step %d of %q", d.answer, d.step, d.scene)
		}
	}
}

func writeDifference(t *testing.T, line string) {
	if *scenesTo == "" {
		return
	}
	f, err := os.OpenFile(*scenesTo, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString(line)
}

// A model is a source of answers.
type model struct{ is *personality }

func (m model) open() (int, error) { return m.is.kqueue() }
func (m model) close(kq int)       { Close(kq) }

// settle waits until the end of a connection's data is acknowledged, which may take
// Linux 40 ms and is an event of its own. All else has arrived when a call returns.
func (m model) settle(_ string, fds []int) {
	const finWait1 = 4 // in net/tcp_states.h
	for deadline := time.Now().Add(testkit.Patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if !slices.ContainsFunc(fds, func(fd int) bool {
			info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			return err == nil && info.State == finWait1
		}) {
			return
		}
	}
}

func (m model) change(kq, fd int, filter byte, flags ...string) error {
	return submitOnce(kq, ev(fd, filterOf(filter), flagsOf(flags)))
}

func filterOf(letter byte) int {
	if letter == 'R' {
		return EVFILT_READ
	}
	return EVFILT_WRITE
}

func flagsOf(names []string) (flags int) {
	for _, name := range names {
		flags |= map[string]int{
			"add": EV_ADD, "del": EV_DELETE, "enable": EV_ENABLE, "clear": EV_CLEAR, "once": EV_ONESHOT,
		}[name]
	}
	return flags
}

func (m model) wait(kq, room int, timeout *unix.Timespec) (answers []answer, err error) {
	events := make([]Kevent_t, room)
	n, err := Kevent(kq, nil, events, timeout)
	for _, e := range events[:max(n, 0)] {
		a := answer{
			fd: int(e.Ident), filter: 'W', eof: e.Flags&EV_EOF != 0,
			err: unix.Errno(e.Fflags), data: e.Data, flags: uint32(e.Flags),
		}
		if e.Filter == EVFILT_READ {
			a.filter = 'R'
		}
		answers = append(answers, a)
	}
	return answers, err
}
