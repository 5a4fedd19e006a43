//go:build !race && !kqueue_model

// The programs of the pages are built by the go command as they stand, whatever this
// test was built with. So they are built once.

package docs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A block is what stands between two lines of three backquotes.
type block struct{ kind, text string }

var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// blocks returns the blocks of a page, in order.
func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

// A tree is files that the go command sees as a part of this module, though they
// are not there: "name/main.go" is seen in docs/name.
type tree map[string]string

// goCommand returns a go command that sees the tree. It runs in this folder.
func (files tree) goCommand(t *testing.T, verb string, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for name, text := range files {
		kept := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(kept, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(here, name)] = kept
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	listFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(listFile, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command("go", append([]string{verb, "-overlay", listFile}, args...)...)
}

// Every program in a page is accepted by the compiler.
func TestProgramsCompile(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	files, packages := tree{}, []string{}
	for _, page := range append(pages, "../README.md", "../README.zh-CN.md") {
		for i, b := range blocks(t, page) {
			if strings.HasPrefix(b.kind, "go") && strings.HasPrefix(b.text, "package main\n") && b.kind != "go test" {
				name := fmt.Sprintf("%s_%d", strings.TrimSuffix(filepath.Base(page), ".md"), i)
				name = "program_" + strings.ReplaceAll(strings.ToLower(name), ".", "_")
				files[name+"/main.go"] = b.text
				packages = append(packages, "./"+name)
			}
		}
	}
	if len(packages) == 0 {
		t.Fatal("no programs found")
	}
	if out, err := files.goCommand(t, "build", packages...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The README's program answers as the README says.
func TestFirstProgram(t *testing.T) {
	var program string
	for _, b := range blocks(t, "../README.md") {
		switch b.kind {
		case "go":
			program = b.text
		case "":
			converse(t, program, b.text)
			return
		}
	}
	t.Fatal("README.md has no program with a dialogue")
}

// Each step of the tutorial builds, and a client that says what the page says
// gets the answers that the page has.
func TestTutorial(t *testing.T) {
	var program, test string
	dialogues := 0
	for _, b := range blocks(t, "tutorial.md") {
		switch b.kind {
		case "go":
			program = b.text
		case "go serve":
			program = replaceServe(t, program, b.text)
		case "go test":
			test = b.text
		case "":
			dialogues++
			t.Run(fmt.Sprint("step", dialogues), func(t *testing.T) { converse(t, program, b.text) })
		}
	}
	if dialogues < 4 || test == "" {
		t.Fatal("tutorial.md has no dialogues, or no test")
	}
	files := tree{"tutorial/main.go": program, "tutorial/main_test.go": test}
	bin := filepath.Join(t.TempDir(), "test")
	if out, err := files.goCommand(t, "test", "-vet=off", "-c", "-o", bin, "./tutorial").CombinedOutput(); err != nil {
		t.Fatalf("the test of the last step: %v\n%s", err, out)
	}
	if out, err := exec.Command(bin).CombinedOutput(); err != nil {
		t.Errorf("the test of the last step: %v\n%s", err, out)
	}
}

// The programs of shards.md are all whole, so that they are compiled; and the server that
// has a dialogue answers as the page says.
func TestShards(t *testing.T) {
	var program string
	dialogues := 0
	for _, b := range blocks(t, "shards.md") {
		switch {
		case b.kind == "":
			dialogues++
			converse(t, program, b.text)
		case b.kind != "go" || !strings.HasPrefix(b.text, "package main\n"):
			t.Errorf("this block is not compiled:\n%s", b.text)
		}
		program = b.text
	}
	if dialogues == 0 {
		t.Error("shards.md has no dialogue")
	}
}

var serveFunc = regexp.MustCompile(`(?ms)^func \(s \*store\) serve\(.*?^}\n`)

// replaceServe returns the program with another method serve.
func replaceServe(t *testing.T, program, serve string) string {
	t.Helper()
	if !serveFunc.MatchString(program) {
		t.Fatal("the program before has no method serve")
	}
	return serveFunc.ReplaceAllLiteralString(program, serve)
}

// converse runs a program and has a dialogue with it: what stands behind "> " is
// said, all other lines are read, in any order up to the next that is said.
func converse(t *testing.T, program, dialogue string) {
	bin := filepath.Join(t.TempDir(), "server")
	files := tree{"step/main.go": strings.Replace(program, "127.0.0.1:7000", "127.0.0.1:0", 1)}
	if out, err := files.goCommand(t, "build", "-o", bin, "./step").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := exec.Command(bin)
	var said bytes.Buffer
	server.Stderr = &said
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		server.Process.Signal(os.Interrupt)
		if err := server.Wait(); err != nil {
			t.Errorf("the server: %v\n%s", err, &said)
		}
	}()
	first, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(first), "listening on ")
	if !ok {
		t.Fatalf("the server said %q, %v", first, err)
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	answers := bufio.NewReader(c)
	for turn := range strings.SplitSeq(strings.TrimPrefix(dialogue, "> "), "\n> ") {
		lines := strings.Split(strings.TrimSpace(turn), "\n")
		fmt.Fprintln(c, lines[0])
		want := make(map[string]int)
		for _, line := range lines[1:] {
			want[line]++
		}
		for range lines[1:] {
			line, err := answers.ReadString('\n')
			line = strings.TrimSuffix(line, "\n")
			if err != nil && err != io.EOF || want[line] == 0 {
				t.Fatalf("to %q the answer was %q, %v", lines[0], line, err)
			}
			want[line]--
		}
	}
}
