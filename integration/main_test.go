package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/libraries.md with what the tests find; measure for longer, one case at a time")

func TestMain(m *testing.M) {
	if text := os.Getenv(orderVariable); text != "" {
		if err := carryOut(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if !*update {
		flag.Set("test.parallel", "4") // most of the time they wait
	}
	code := m.Run()
	stopServers()
	os.Exit(code)
}

// Each library does in each place what docs/libraries.md says.
func TestLibraries(t *testing.T) {
	page, err := readPage()
	if err != nil {
		t.Fatal(err)
	}
	startAll()
	var mu sync.Mutex
	t.Run("each", func(t *testing.T) {
		for _, l := range libraries {
			for _, p := range places {
				t.Run(l.name+" "+p.title, func(t *testing.T) {
					t.Parallel()
					found := check(t, l, p, page.words[key{l.name, p.name}])
					mu.Lock()
					defer mu.Unlock()
					page.found(l, p, found)
				})
			}
		}
	})
	if *update && !t.Failed() {
		if err := page.write(); err != nil {
			t.Error(err)
		}
	}
}

// checkNames are the checks in the order in which they are made. Once a library does not
// work, the others say nothing.
var checkNames = []string{"works", "deadline", "cancel", "speed"}

// The time that checks get. One that is expected to succeed gets enough for a busy
// machine.
const (
	ample = 30 * time.Second
	brief = 2 * time.Second
)

// check makes all checks of a library in a place, and compares them with what is
// expected of them; in an update, with nothing.
func check(t *testing.T, l *library, p place, expected map[string]string) map[string]verdict {
	o := order{
		Library: l.name, Place: p.name, Addr: addresses(t, l.servers...),
		Limit: make(map[string]time.Duration), Measure: 5 * time.Millisecond,
	}
	for _, c := range checkNames {
		o.Limit[c] = ample
		if want := expected[c]; want == stands || want == no {
			o.Limit[c] = brief
		}
	}
	if *update {
		o.Measure = 100 * time.Millisecond
		for _, c := range checkNames[:3] {
			o.Limit[c] = 5 * time.Second
		}
	}
	found := make(map[string]verdict)
	for rest := checkNames; len(rest) > 0; {
		if p.name == "std" {
			rest = slices.DeleteFunc(slices.Clone(rest), func(c string) bool { return c == "speed" })
		}
		o.Checks = rest
		verdicts := delegate(t, o)
		for _, v := range verdicts {
			found[v.Check] = v
			if v.Word != yes {
				t.Logf("%s: %s: %s", v.Check, v.Word, firstLine(v.Detail))
			}
			if want := expected[v.Check]; !*update && v.Check != "speed" && v.Word != want {
				t.Errorf("%s: %q; docs/libraries.md has %q\n%s", v.Check, v.Word, want, v.Detail)
			}
		}
		if found["works"].Word != yes || t.Failed() {
			break
		}
		rest = rest[len(verdicts):]
	}
	return found
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// delegate has another process carry out an order, and returns its verdicts: as many
// as it comes to.
func delegate(t *testing.T, o order) (verdicts []verdict) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := command("", self)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), orderVariable+"="+string(text))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var limit time.Duration
	for _, c := range o.Checks {
		limit += o.Limit[c]
	}
	killer := time.AfterFunc(limit+ample, func() { cmd.Process.Kill() })
	defer killer.Stop()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var v verdict
		if json.Unmarshal(line, &v) == nil && v.Check != "" {
			verdicts = append(verdicts, v)
		}
	}
	err = cmd.Wait()
	if len(verdicts) == 0 || err != nil {
		t.Fatalf("the process that uses %s ended: %v\n%s", o.Library, err, &said)
	}
	return verdicts
}
