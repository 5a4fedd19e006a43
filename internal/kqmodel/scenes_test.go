//go:build darwin || freebsd || openbsd || netbsd || dragonfly || linux

package kqmodel

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Scenes query a kqueue: the model, in each of its personalities, or the kernel
// that the test runs on. testdata/netbsd.txt has them, with the answers of a
// NetBSD kernel. testdata/differences.txt lists the answers that differ
// elsewhere.
//
//go:embed testdata/*.txt
var testdata embed.FS

// A source is a kqueue to query.
type source interface {
	open() (int, error)
	close(kq int)
	change(kq, fd int, filter byte, flags ...string) error
	wait(kq, room int, timeout *unix.Timespec) ([]answer, error)
	settle(scene string, fds []int) // waits until the effects of earlier steps have arrived
}

// An answer is one event.
type answer struct {
	fd     int
	filter byte // 'R' or 'W'
	eof    bool
	err    unix.Errno
	data   int64
	flags  uint32
}

// A scene is a list of steps with the answers.
type scene struct {
	name    string
	steps   []string
	answers []string
}

func observed(t *testing.T) (scenes []scene) {
	t.Helper()
	text, err := testdata.ReadFile("testdata/netbsd.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "== "); ok {
			scenes = append(scenes, scene{name: name})
			continue
		}
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		step, answer, ok := strings.Cut(line, " = ")
		if !ok || len(scenes) == 0 {
			t.Fatalf("netbsd.txt has the line %q", line)
		}
		s := &scenes[len(scenes)-1]
		s.steps = append(s.steps, strings.TrimSpace(step))
		s.answers = append(s.answers, answer)
	}
	return scenes
}

// A difference is an answer that differs from NetBSD's, and its reason: a
// system's ("freebsd"), the model's in all its personalities ("model"), or the
// model's in one of them ("model:freebsd").
type difference struct {
	systems []string
	scene   string
	step    int // from 1
	answer  string
	reason  string
}

func differences(t *testing.T) (all []difference) {
	t.Helper()
	text, err := testdata.ReadFile("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	reason := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		if why, ok := strings.CutPrefix(line, "because "); ok {
			reason = why
			continue
		}
		fields := strings.SplitN(line, " | ", 4)
		if len(fields) != 4 || reason == "" {
			t.Fatalf("differences.txt has the line %q", line)
		}
		number, _, _ := strings.Cut(fields[2], " ")
		step, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("differences.txt has the line %q", line)
		}
		all = append(all, difference{strings.Fields(fields[0]), fields[1], step, fields[3], reason})
	}
	return all
}

// expect returns a system's expected answers to a scene: NetBSD's answers with
// the differences for names. Those of a later name override an earlier one's.
func expect(s scene, all []difference, names ...string) []string {
	answers := slices.Clone(s.answers)
	for _, name := range names {
		for _, d := range all {
			if d.scene == s.name && slices.Contains(d.systems, name) && d.step <= len(answers) {
				answers[d.step-1] = d.answer
			}
		}
	}
	return answers
}

// play runs a scene.
func play(t *testing.T, s scene, from source) (answers []string) {
	t.Helper()
	kq, err := from.open()
	if err != nil {
		t.Fatal(err)
	}
	p := &stage{from: from, kq: kq, fds: make(map[string]int), scene: s.name}
	defer p.end()
	for _, step := range s.steps {
		answers = append(answers, p.do(strings.Fields(step)))
	}
	return answers
}

// A stage holds a scene's descriptors, by their letters.
type stage struct {
	from   source
	scene  string
	kq     int
	fds    map[string]int
	closed []string // letters of closed descriptors
	queues []string // letters of kqueues
	addr   unix.Sockaddr
}

func (p *stage) end() {
	for letter, fd := range p.fds {
		switch {
		case slices.Contains(p.closed, letter):
		case slices.Contains(p.queues, letter):
			p.from.close(fd)
		default:
			unix.Close(fd)
		}
	}
	p.from.close(p.kq)
}

// open returns the descriptors that are open, queues aside.
func (p *stage) open() (fds []int) {
	for letter, fd := range p.fds {
		if !slices.Contains(p.closed, letter) && !slices.Contains(p.queues, letter) {
			fds = append(fds, fd)
		}
	}
	return fds
}

// do performs a step and returns its result.
func (p *stage) do(step []string) string {
	if answer, ok := p.ask(step); ok {
		return answer
	}
	if answer, ok := p.make(step); ok {
		return answer
	}
	fd := p.fds[step[1]]
	amount := func() int {
		n, _ := strconv.Atoi(step[2])
		return n
	}
	switch step[0] {
	case "write":
		return counted(unix.Write(fd, make([]byte, amount())))
	case "read":
		return counted(unix.Read(fd, make([]byte, amount())))
	case "fill":
		return until(func() (int, error) { return unix.Write(fd, make([]byte, 4096)) })
	case "drain":
		return until(func() (int, error) { return unix.Read(fd, make([]byte, 1<<16)) })
	case "drainall": // and what arrives meanwhile
		for range 20 {
			until(func() (int, error) { return unix.Read(fd, make([]byte, 1<<16)) })
			time.Sleep(time.Millisecond)
		}
		return "ok"
	case "shutwr":
		return result(unix.Shutdown(fd, unix.SHUT_WR))
	case "shutrd":
		return result(unix.Shutdown(fd, unix.SHUT_RD))
	case "linger0":
		return result(unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	case "soerror":
		n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			return result(err)
		}
		return result(unix.Errno(n))
	case "connect":
		return p.connect(fd)
	case "close":
		p.closed = append(p.closed, step[1])
		return result(unix.Close(fd))
	}
	return "unknown step"
}

// ask performs the steps that query the kqueue:
//
//	add a rw [level] [once], del a r, enable a w   changes, each filter by itself
//	wait [n]                                        what there is to report
//	flags                                           the same, with the flags only
//	timeout sec nsec                                a wait with nothing to wait for
func (p *stage) ask(step []string) (string, bool) {
	switch step[0] {
	case "add", "del", "enable":
		return p.change(step), true
	case "wait", "flags":
		room := 16
		if len(step) > 1 {
			room, _ = strconv.Atoi(step[1])
		}
		p.from.settle(p.scene, p.open())
		events, err := p.from.wait(p.kq, room, new(unix.Timespec))
		if err != nil {
			return result(err), true
		}
		var words []string
		for _, e := range events {
			words = append(words, p.describe(e, step[0] == "flags"))
		}
		if words == nil {
			return "-", true
		}
		return strings.Join(words, " "), true
	case "timeout":
		return p.timeout(step), true
	}
	return "", false
}

func (p *stage) change(step []string) string {
	flags := []string{step[0], "clear"}
	for _, option := range step[3:] {
		switch option {
		case "level":
			flags = []string{step[0]}
		case "once":
			flags = append(flags, "once")
		}
	}
	if step[0] != "add" {
		flags = []string{step[0]}
	}
	fd := p.fds[step[1]]
	var results []string
	for _, filter := range step[2] {
		results = append(results, result(p.from.change(p.kq, fd, byte(filter)-'a'+'A', flags...)))
	}
	return strings.Join(results, " ")
}

func (p *stage) describe(e answer, flags bool) string {
	name := "?"
	for letter, fd := range p.fds {
		if fd == e.fd && !slices.Contains(p.closed, letter) {
			name = letter
		}
	}
	s := name + "." + string(e.filter)
	if flags {
		return fmt.Sprintf("%s %#x", s, e.flags)
	}
	if e.eof {
		s += "+EOF"
	}
	if e.err != 0 {
		s += "(" + result(e.err) + ")"
	}
	if e.filter == 'R' {
		s += fmt.Sprintf("=%d", e.data)
	}
	return s
}

func (p *stage) timeout(step []string) string {
	sec, _ := strconv.Atoi(step[1])
	nsec, _ := strconv.Atoi(step[2])
	var ts unix.Timespec
	assign(&ts.Sec, sec)
	assign(&ts.Nsec, nsec)
	for {
		start := time.Now()
		_, err := p.from.wait(p.kq, 1, &ts)
		switch took := time.Since(start); {
		case err == unix.EINTR:
			continue
		case err == nil && took < time.Duration(sec)*time.Second+time.Duration(nsec):
			return "early"
		}
		return result(err)
	}
}

// assign knows the width of a Timespec's fields.
func assign[T int32 | int64](field *T, n int) { *field = T(n) }

// make performs the steps that make descriptors.
func (p *stage) make(step []string) (string, bool) {
	switch step[0] {
	case "pair", "dgram", "pipe":
		var fds [2]int
		var err error
		switch step[0] {
		case "pair":
			fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		case "dgram":
			fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		default:
			err = unix.Pipe(fds[:])
		}
		p.own(step[1], fds[0])
		p.own(step[2], fds[1])
		return result(err), true
	case "socket", "udp":
		kind := unix.SOCK_STREAM
		if step[0] == "udp" {
			kind = unix.SOCK_DGRAM
		}
		fd, err := unix.Socket(unix.AF_INET, kind, 0)
		p.own(step[1], fd)
		return result(err), true
	case "listen":
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		p.own(step[1], fd)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		}
		if err == nil {
			err = unix.Listen(fd, 8)
		}
		if err == nil {
			p.addr, err = unix.Getsockname(fd)
		}
		return result(err), true
	case "accept":
		p.from.settle(p.scene, p.open())
		fd, _, err := unix.Accept(p.fds[step[2]])
		if err == nil {
			p.own(step[1], fd)
		}
		return result(err), true
	case "dup":
		fd, err := unix.Dup(p.fds[step[1]])
		p.own(step[2], fd)
		return result(err), true
	case "dup2":
		return result(unix.Dup2(p.fds[step[1]], p.fds[step[2]])), true
	case "kqueue":
		fd, err := p.from.open()
		p.fds[step[1]] = fd
		p.queues = append(p.queues, step[1])
		return result(err), true
	}
	return "", false
}

func (p *stage) own(letter string, fd int) {
	p.fds[letter] = fd
	unix.CloseOnExec(fd)
	unix.SetNonblock(fd, true)
}

// connect connects to the address of the last listener, which may be closed.
func (p *stage) connect(fd int) string {
	switch err := unix.Connect(fd, p.addr); err {
	case nil, unix.EINPROGRESS:
		return "started"
	default:
		return result(err)
	}
}

func counted(n int, err error) string {
	if err != nil {
		return result(err)
	}
	return strconv.Itoa(n)
}

// until repeats f until it fails, and returns the error.
func until(f func() (int, error)) string {
	for {
		n, err := f()
		switch {
		case err == unix.EINTR:
		case err != nil:
			return result(err)
		case n == 0:
			return "EOF"
		}
	}
}

func result(err error) string {
	errno, _ := err.(unix.Errno)
	switch {
	case err == nil, errno == 0 && err == unix.Errno(0):
		return "ok"
	case errno == unix.EOPNOTSUPP: // on some systems ENOTSUP is the same
		return "EOPNOTSUPP"
	case errno != 0:
		return unix.ErrnoName(errno)
	}
	return err.Error()
}
