package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestImportsThatGoUpOrSidewaysAreReported(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"net", "reactor", ""},
		{"net/tls", "net", ""},
		{"net", "internal/simulation", ""},
		{"net", "os", ""},
		{"examples/echo", "net/tls", ""},
		{"reactor", "net", "must not import"},
		{"reactor/core", "reactor", "must not import"},
		{"net", "net/tls", "must not import"},
		{"net", "process", "must not import"},
		{"timerwheel", "", "must not import"},
		{"internal/simulation", "reactor", "must not import"},
		{"internal/testkit/virtual", "", ""},
		{"net", "internal/testkit", "for tests only"},
		{"internal/gate", "internal/testkit/virtual", "for tests only"},
		{"examples/echo", "internal/testkit", "for tests only"},
		{"attic", "net", "in no room"},
	} {
		ours := func(path string) string {
			if path == "os" {
				return path
			}
			return strings.TrimSuffix(module+"/"+path, "/")
		}
		_, bad := build(map[string][]string{ours(c.from): {ours(c.to)}})
		if got := strings.Join(bad, "\n"); got != "" && c.want == "" || !strings.Contains(got, c.want) {
			t.Errorf("%s imports %s: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

func TestPictureIsOfTheseImports(t *testing.T) {
	imports, err := list()
	if err != nil {
		t.Fatal(err)
	}
	g, _ := build(imports)
	var drawn bytes.Buffer
	draw(&drawn, g)
	kept, err := os.ReadFile("../../docs/architecture.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, drawn.Bytes()) {
		t.Error("docs/architecture.svg is out of date: go run ./internal/rooms -svg >docs/architecture.svg")
	}
}
