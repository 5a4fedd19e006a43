package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eddyio/eddy/internal/testkit/programs"
)

func TestMain(m *testing.M) { programs.Main(m, main) }

// eddy runs the command, and returns what it printed and its exit status.
func eddy(t *testing.T, env []string, args ...string) (out, errors string, status int) {
	t.Helper()
	cmd := eddyCommand(t, env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

func eddyCommand(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := programs.Command(t, args...)
	cmd.Env = append(append(cmd.Env, envAddress+"="), env...)
	return cmd
}

// answer serves what a program might answer, below a path, on a Unix socket and over TCP.
func answer(t *testing.T, below string, s any) (path, address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc(below+"/json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		json.NewEncoder(w).Encode(s)
	})
	mux.HandleFunc(below+"/stack", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "loop %s, task %s\n\tmain.go:7\x1b[2J\n", r.FormValue("loop"), r.FormValue("task"))
	})
	mux.HandleFunc(below+"/trace", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"traceEvents":[],"seconds":%s}`, r.FormValue("seconds"))
	})
	dir, err := os.MkdirTemp("", "e") // short: a socket's path has little room
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "sock")
	for _, l := range [][2]string{{"unix", path}, {"tcp", "127.0.0.1:0"}} {
		ln, err := net.Listen(l[0], l[1])
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: mux}
		go server.Serve(ln)
		t.Cleanup(func() { server.Close() })
		address = ln.Addr().String()
	}
	return path, address
}

// object is JSON.
type object = map[string]any

// chat is the snapshot of a program with many members.
func chat(members int) object {
	tasks := []object{
		{"id": 1, "name": "main", "func": "main.main.func1", "site": "/src/chat/main.go:27", "state": "waiting", "waits_for": "a server of 127.0.0.1:7001", "since": 3600},
		{"id": 2, "name": "billing", "func": "main.billing", "site": "/src/chat/billing.go:9", "state": "waiting", "waits_for": "queue jobs, 0 of 10", "since": 12.6, "parent": 1, "deadline": 2.5},
		{"id": 3, "name": "report", "func": "main.report", "site": "/src/chat/report.go:7", "state": "running", "parent": 2},
	}
	for i := range members {
		tasks = append(tasks, object{"id": 10 + i, "func": "main.visit", "site": "/src/chat/member.go:44", "state": "waiting",
			"waits_for": fmt.Sprintf("read of 10.0.0.%d:5%03d", i%256, i%1000), "since": members - i, "parent": 1})
		tasks = append(tasks, object{"id": 100_000 + i, "func": "main.write", "site": "/src/chat/member.go:60", "state": "waiting", "parent": 10 + i})
	}
	return object{"version": 1, "time": "2026-05-04T12:00:00Z", "pid": 4711, "program": "chat", "go": "go1.26.8", "loops": []object{{
		"id": 1, "name": "main.main",
		"health": object{"utilization": object{"10s": 0.41, "1m": 0.4}, "lag": object{"10s": object{"p50": 20e-6, "p99": 1.2e-3, "max": 9e-3}},
			"tasks": len(tasks), "ready": 3, "fds": members, "turns_per_second": 1234.5, "steps_per_second": 99999},
		"servers":  []object{{"address": "127.0.0.1:7001", "connections": members, "accepted": 31}},
		"slow":     []object{{"time": "2026-05-04T11:59:00Z", "task": "billing", "took": 0.2}},
		"census":   []object{{"site": "/src/chat/member.go:44", "func": "main.visit", "count": members, "oldest": members}},
		"suspects": []object{{"task": 12, "why": "waits for 3 h"}},
		"tasks":    tasks,
	}}}
}

// has fails t unless text has all of these in this order.
func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("%q is not there, or not in its place, in:\n%s", part, text)
		}
		rest = after
	}
}

func TestTreeOfTasks(t *testing.T) {
	path, address := answer(t, "", chat(20))
	for _, where := range []string{path, "unix:" + path, address, "http://" + address, "http://" + address + "/?x"} {
		out, errors, status := eddy(t, nil, "pstree", where)
		if errors != "" || status != 0 {
			t.Fatalf("%s: %s, status %d", where, errors, status)
		}
		_, tree, _ := strings.Cut(out, "\n\n")
		want := `loop 1 main.main: 43 tasks, 3 ready; 41% busy, lag p99 1.2 ms
suspect: task 12 waits for 3 h
main #1 waits 60 min for a server of 127.0.0.1:7001 (chat/main.go:27)
├─ 20 × main.visit: read of …; 20 s at most; 20 tasks below (chat/member.go:44)
└─ billing #2 waits 13 s for queue jobs, 0 of 10; deadline in 2.5 s (chat/billing.go:9)
   └─ report #3 is running (chat/report.go:7)
`
		if tree != want {
			t.Errorf("%s: got\n%s\nwant\n%s", where, tree, want)
		}
		has(t, out, "chat, pid 4711, go1.26.8, at ")
	}
	out, _, _ := eddy(t, []string{envAddress + "=" + path}, "pstree", "-all")
	has(t, out, "├─ main.visit #10 waits 20 s for read of 10.0.0.0:5000 (chat/member.go:44)\n│  └─ main.write #100000 is waiting (chat/member.go:60)\n├─ main.visit #11", "└─ main.visit #29 waits")
}

func TestListOfTasks(t *testing.T) {
	path, address := answer(t, "/debug/eddy", chat(2))
	for _, where := range []string{path, address, "http://" + address + "/debug/eddy"} {
		out, errors, status := eddy(t, nil, "ps", where)
		if errors != "" || status != 0 {
			t.Fatalf("%s: %s, status %d", where, errors, status)
		}
		has(t, out, "loop 1 main.main: 7 tasks", "TASK", "STATE", "WAITS FOR", "NAME",
			"\n1 ", "waiting", "60 min", "a server of 127.0.0.1:7001", "main", "chat/main.go:27",
			"\n2 ", "13 s", "queue jobs, 0 of 10", "billing", "\n3 ", "running", "report", "\n")
	}
}

func TestStackAndTraceAreFetched(t *testing.T) {
	path, _ := answer(t, "", chat(2))
	out, errors, status := eddy(t, nil, "stack", "-task", "11", path)
	if want := "loop 1, task 11\n\tmain.go:7\\u001b[2J\n"; out != want || errors != "" || status != 0 {
		t.Errorf("stack: %q, %q, status %d", out, errors, status)
	}
	out, errors, status = eddy(t, nil, "trace", "-seconds", "0.5", path)
	if want := `{"traceEvents":[],"seconds":0.5}`; out != want || errors != "" || status != 0 {
		t.Errorf("trace: %q, %q, status %d", out, errors, status)
	}
	_, errors, status = eddy(t, nil, "stack", "-task", "99", path)
	if status != 1 || !strings.Contains(errors, "has a task 99") {
		t.Errorf("a task that is not there: %q, status %d", errors, status)
	}
}

func TestTopIsPlainWithoutATerminal(t *testing.T) {
	path, _ := answer(t, "", chat(2000))
	out, errors, status := eddy(t, nil, "top", "-n", "2", "-every", "100ms", path)
	if errors != "" || status != 0 || strings.Contains(out, "\x1b") {
		t.Errorf("%q, status %d:\n%s", errors, status, out)
	}
	page := []string{"chat, pid 4711", "loop 1 main.main: 4,003 tasks", "busy 41% (1 min 40%)  lag median 20 µs, max 9 ms  1,234 turns/s, 99,999 steps/s",
		"2,000 descriptors", "server 127.0.0.1:7001: 2,000 connections, 31 accepted", "slow: a step of billing took 200 ms", "suspect: task 12 waits for 3 h",
		"2,000 × main.visit (chat/member.go:44), 33 min at most", "60 min", "a server of"}
	has(t, out, append(page, page...)...)
	if n := strings.Count(out, "\n"); n > 82 {
		t.Errorf("two pages have %d lines", n)
	}
}

func TestStandingLoopIsShownFirst(t *testing.T) {
	s := chat(3)
	l := s["loops"].([]object)[0]
	l["standing"] = object{"task": 2, "name": "task 2 (billing)", "for": 3.2, "stack": "main.billing(...)\n\t/src/chat/billing.go:17"}
	l["asked"] = 4
	path, _ := answer(t, "", s)
	for _, what := range []string{"ps", "pstree", "top"} {
		out, _, _ := eddy(t, nil, what, "-n=1", path)
		if what != "top" {
			out, _, _ = eddy(t, nil, what, path)
		}
		has(t, out, "the tasks are shown as they were 4 s ago", "THE LOOP STANDS for 3.2 s: task 2 (billing) keeps its thread, here:\n", "    main.billing(...)\n", "/src/chat/billing.go:17\n", "main")
	}
	out, _, _ := eddy(t, nil, "pstree", path)
	has(t, out, "billing #2 HOLDS UP THE LOOP")
}

// What tasks and peers name can't control the terminal.
func TestNamesAreHarmlessToTheTerminal(t *testing.T) {
	name := "a\x1b[2J\x07\r\n\t\u009b31m\u202egnp\u2066\u200b\ufeff\x7fz"
	s := chat(3)
	s["program"], s["go"] = name, name
	l := s["loops"].([]object)[0]
	l["name"], l["error"] = name, name
	l["standing"] = object{"task": 2, "name": name, "for": 3.2, "stack": name}
	l["servers"] = []object{{"address": name}}
	l["slow"] = []object{{"time": "2026-05-04T11:59:00Z", "task": name}}
	l["census"] = []object{{"site": name, "func": name}}
	l["suspects"] = []object{{"task": 12, "why": name}}
	for i, task := range l["tasks"].([]object) {
		for _, field := range []string{"name", "func", "site", "waits_for"} {
			task[field] = name
		}
		if i == 2 {
			task["state"] = name
		}
	}
	path, _ := answer(t, "", s)
	for _, args := range [][]string{{"ps", path}, {"pstree", path}, {"pstree", "-all", path}, {"top", "-n=1", path}} {
		out, errors, status := eddy(t, nil, args...)
		if errors != "" || status != 0 {
			t.Errorf("%v: %s, status %d", args, errors, status)
		}
		has(t, out, `a\u001b[2J\u0007\u000d\u000a\u0009\u009b31m\u202egnp\u2066\u200b\ufeff\u007fz`)
		if at := strings.IndexAny(out, "\x1b\x07\r\u009b\u202e\u2066\u200b\ufeff\x7f"); at >= 0 {
			t.Errorf("%v prints %q", args, out[max(0, at-20):min(at+20, len(out))])
		}
	}
}

func FuzzNamesAreHarmless(f *testing.F) {
	f.Add("a\x1b[2J\u202e")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, name string) {
		s := &snapshot{Program: name, Go: name, Loops: []*loop{{Name: name, Error: name, Standing: &standing{Name: name},
			Tasks: []*task{{ID: 1, Name: name, Func: name, Site: name, State: "waiting", WaitsFor: name}, {ID: 2, Site: name, State: name, Parent: 1}},
			Slow:  []slowStep{{Task: name}}, Census: []place{{Site: name, Func: name}}, Suspects: []suspect{{Why: name}}, Servers: []server{{Address: name}}}}}
		var out bytes.Buffer
		s.top(&out, 100, errors.New(name))
		s.Loops[0].tree(&out, false)
		s.Loops[0].table(&out, s.Loops[0].Tasks)
		for _, r := range out.String() {
			if r != '\n' && plain(string(r)) != string(r) {
				t.Fatalf("%U is printed", r)
			}
		}
	})
}

// A chain of tasks may be as deep as there are tasks, and a program may answer nonsense.
func TestTreesOfAnyShape(t *testing.T) {
	l := &loop{}
	const depth = 100_000
	for i := range uint64(depth) {
		l.Tasks = append(l.Tasks, &task{ID: i + 1, Parent: i})
	}
	roots := l.roots()
	if len(roots) != 1 || below(roots) != depth-1 {
		t.Errorf("a chain has %d roots, and below them %d", len(roots), below(roots))
	}
	l.Tasks = []*task{{ID: 1, Parent: 1}, {ID: 2, Parent: 3}, {ID: 3, Parent: 2}, {ID: 4, Parent: 77}}
	l.tree(io.Discard, true)
	if n := len(l.roots()); n != 2 {
		t.Errorf("%d roots, want those without a parent other than themselves", n)
	}
}

func TestErrorsAreSentences(t *testing.T) {
	path, address := answer(t, "", chat(2))
	old, _ := answer(t, "", object{"version": 7})
	other, otherAddress := answer(t, "/elsewhere", chat(2))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	ln.Close()
	dead := filepath.Join(filepath.Dir(path), "dead")
	deadListener, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	deadListener.SetUnlinkOnClose(false)
	deadListener.Close()
	file := filepath.Join(filepath.Dir(path), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 2, "say what to do"},
		{"sing", 2, `there is no command "sing"`},
		{"ps", 2, "say which program, by its address or by EDDYINSPECT"},
		{"ps -x " + path, 2, "-x"},
		{"ps " + path + " " + path, 2, "one address at most"},
		{"ps http://", 2, "is no URL"},
		{"ps a:b:c", 2, "is no host:port"},
		{"top -every 1ms " + path, 2, "-every is at least 100ms"},
		{"stack " + path, 2, "say which task"},
		{"trace -seconds 0 " + path, 2, "-seconds is more than 0"},
		{"trace -seconds NaN " + path, 2, "-seconds is more than 0"},
		{"ps " + path + "x", 1, "there is no socket " + path + "x: does the program run"},
		{"ps nothing", 1, "there is no socket nothing"},
		{"ps " + nobody, 1, "nobody listens at " + nobody},
		{"ps " + dead, 1, "nobody listens at " + dead},
		{"ps " + file, 1, "nobody listens at " + file},
		{"ps " + old, 1, "does not answer as package inspect does: its answer has version 7"},
		{"ps " + other, 1, "does not answer as package inspect does: it answers 404"},
		{"top " + otherAddress, 1, "does not answer as package inspect does: it answers 404"},
		{"trace " + otherAddress, 1, "does not answer as package inspect does: it answers 404"},
		{"ps http://" + address + "/stack", 1, "does not answer as package inspect does"},
		{"help", 0, ""},
		{"ps -h", 0, ""},
	} {
		out, errors, status := eddy(t, nil, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(errors, c.want) || out != "" && c.want != "" {
			t.Errorf("eddy %s: status %d, said %q, printed %q; want status %d, %q", c.args, status, errors, out, c.status, c.want)
		}
		if (status == 2) != strings.Contains(errors+out, "eddy top") && c.want != "" {
			t.Errorf("eddy %s: the usage is for those who need it: %q", c.args, errors)
		}
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0", 2e-7: "0.2 µs", 1e-6: "1 µs", 1.25e-5: "12 µs", 999e-6: "999 µs", 0.001: "1 ms", 0.0123: "12 ms", 0.9999: "1 s",
		1: "1 s", 2.04: "2 s", 2.06: "2.1 s", 60: "60 s", 99.9: "2 min", 3600: "60 min", 10800: "3 h", 1e6: "12 d", -2: "-2 s",
	} {
		if got := duration(s); got != want {
			t.Errorf("%v s: got %q, want %q", s, got, want)
		}
	}
}
