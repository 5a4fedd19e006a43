package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAttacksAreTested: each row of the table of attacks names tests, and they are there.
func TestAttacksAreTested(t *testing.T) {
	page, err := os.ReadFile("attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := allTests(t)
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.Contains(cells[4], "`") {
			if strings.HasPrefix(line, "| ") && rows > 0 {
				t.Errorf("no test: %s", line)
			}
			continue
		}
		rows++
		for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(cells[4], -1) {
			if !tests[name] {
				t.Errorf("there is no %s", name)
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d rows", rows)
	}
}

// allTests returns the names of the module's tests.
func allTests(t *testing.T) map[string]bool {
	tests := make(map[string]bool)
	name := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range name.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
