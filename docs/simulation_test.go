package docs

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

var update = flag.Bool("update", false, "write into simulation.md what its bugs do now")

const simulationPage = "simulation.md"

// The first test of the page is this one.
func TestEcho(t *testing.T) {
	reactortest.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
		n.SetLinks(reactortest.Link{Latency: 10 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.01})
		n.Host("server").Start(serveEcho) // it listens on ":7"
		reactor.Sleep(ctx, time.Second)   // of virtual time: until it does
		c, err := net.Dial(ctx, "tcp", "server:7")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "hello\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); line != "hello\n" {
			t.Errorf("%q, %v", line, err)
		}
	})
}

func serveEcho(ctx context.Context) error {
	ln, err := net.Listen(ctx, "tcp", ":7")
	if err != nil {
		return err
	}
	return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
		_, err := io.Copy(c, c)
		return err
	})
}

func TestFirstSimulationIsThatOfThePage(t *testing.T) {
	page, own := read(t, simulationPage), read(t, "simulation_test.go")
	_, code, ok := strings.Cut(page, "\n```go\n")
	code, _, _ = strings.Cut(code, "\n```\n")
	if !ok || !strings.Contains(own, "\n"+code+"\n") {
		t.Errorf("the first test in %s is none of this file's", simulationPage)
	}
}

// Each bug of the page, put into its program, is found by the program's test, by
// the seed that the page names, and makes the trace that it quotes. (What differs
// because the loop, the simulation or the programs have changed, -update writes.)
func TestBugsAreFound(t *testing.T) {
	page := read(t, simulationPage)
	bugs := bug.FindAllStringSubmatch(page, -1)
	if len(bugs) != 2 {
		t.Fatalf("%d bugs", len(bugs))
	}
	for _, b := range bugs {
		t.Run(b[1], func(t *testing.T) {
			found, trace := b[4], b[6]
			dir := t.TempDir()
			program := buildWith(t, dir, b[1], b[2])
			out := runBug(program, b[1])
			seed := quotedSeed.FindStringSubmatch(out)
			if seed == nil {
				t.Fatalf("it is not found:\n%s", out)
			}
			gotFound := failure(b[1], out)
			gotTrace := excerpt(t, runBug(program, b[1], "-test.v", "-eddy.seed="+seed[1]), b[5])
			if gotFound == found && gotTrace == trace {
				return
			}
			if *update {
				now := strings.Replace(b[0], "```text\n"+found, "```text\n"+gotFound, 1)
				now = strings.TrimSuffix(now, trace+"```\n") + gotTrace + "```\n"
				page = strings.Replace(page, b[0], now, 1)
				return
			}
			t.Errorf("%s (see -update) has\n%s%s\nbut it is\n%s%s", simulationPage, found, trace, gotFound, gotTrace)
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(simulationPage, []byte(page), 0o666); err != nil {
			t.Error(err)
		}
	}
}

// bug is a bug of the page: the directory of its program, the change that makes it
// (and the file it begins with), how its test fails, what to quote of the trace,
// and the quotation.
var bug = regexp.MustCompile("(?s)<!-- bug in (\\S+) -->\n```diff\n((.*?)\n)```\n.*?```text\n(\\$ .*?)```\n.*?<!-- trace\n(.*?)-->\n```text\n(.*?)```\n")

var quotedSeed = regexp.MustCompile(`seed (\d+) failed`)

// buildWith builds the test of a program with a change in it.
func buildWith(t *testing.T, dir, program, diff string) string {
	t.Helper()
	files, err := filepath.Glob("../" + program + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no program in", program, err)
	}
	for _, name := range files {
		read(t, name) // so that "go test" knows on what its result depends
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, part := range strings.Split("\n"+diff, "\n--- ")[1:] {
		name, hunks, _ := strings.Cut(part+"\n", "\n")
		path, err := filepath.Abs(filepath.Join("..", program, name))
		if err != nil {
			t.Fatal(err)
		}
		changed := filepath.Join(dir, fmt.Sprint(i, ".go"))
		if err := os.WriteFile(changed, []byte(apply(t, read(t, path), hunks)), 0o666); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[path] = changed
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	overlayFile, bin := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "test")
	if err := os.WriteFile(overlayFile, list, 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "test", "-c", "-o", bin, "-overlay", overlayFile, "../"+program).CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	return bin
}

// apply makes a change: hunks of a diff, without numbers of lines.
func apply(t *testing.T, text, hunks string) string {
	t.Helper()
	for hunk := range strings.SplitSeq(hunks, "@@\n") {
		var before, after strings.Builder
		for line := range strings.Lines(hunk) {
			switch line[0] {
			case '-':
				before.WriteString(line[1:])
			case '+':
				after.WriteString(line[1:])
			default:
				before.WriteString(line[1:])
				after.WriteString(line[1:])
			}
		}
		if hunk == "" {
			continue
		}
		if n := strings.Count(text, before.String()); n != 1 {
			t.Fatalf("%d times in the program:\n%s", n, before.String())
		}
		text = strings.Replace(text, before.String(), after.String(), 1)
	}
	return text
}

// runBug runs a test that is to fail, and returns what it prints.
func runBug(bin, program string, args ...string) string {
	cmd := exec.Command(bin, append([]string{"-test.run=^TestSimulation$"}, args...)...)
	cmd.Dir = filepath.Join("..", program)
	out, _ := cmd.CombinedOutput() // the error is that it fails
	return string(out)
}

// failure is what the page quotes of a failure.
func failure(program, out string) string {
	place := regexp.MustCompile(`^ +\w+\.go:\d+: `)
	var s strings.Builder
	fmt.Fprintf(&s, "$ go test ./%s\n", program)
	for line := range strings.Lines(out) {
		if place.MatchString(line) {
			s.WriteString(place.ReplaceAllString(line, ""))
		} else if strings.HasPrefix(line, "        \t") {
			s.WriteString("    " + strings.TrimSpace(line) + "\n")
		}
	}
	return s.String()
}

// excerpt is what the page quotes of a trace: for each pattern one line, the last
// that it fits and that comes before the line of the next pattern.
func excerpt(t *testing.T, trace, patterns string) string {
	t.Helper()
	lines := strings.Split(trace, "\n")
	wanted := strings.Split(strings.TrimSpace(patterns), "\n")
	var quoted []string
	for _, pattern := range slices.Backward(wanted) {
		fits := regexp.MustCompile(pattern)
		i := len(lines) - 1
		for i >= 0 && !fits.MatchString(lines[i]) {
			i--
		}
		if i < 0 {
			t.Fatalf("the trace has no line, or not before the others, like %s", pattern)
		}
		quoted = append(quoted, strings.TrimSpace(lines[i])+"\n")
		lines = lines[:i]
	}
	slices.Reverse(quoted)
	return strings.Join(quoted, "")
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
