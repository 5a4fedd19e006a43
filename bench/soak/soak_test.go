//go:build linux

package main

import (
	"bytes"
	"log"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == clientArg {
		if err := beClients(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			log.Fatal(err)
		}
		return
	}
	os.Exit(m.Run())
}

// The whole program, with few connections and little time.
func TestSoak(t *testing.T) {
	var out bytes.Buffer
	err := run([]string{"-conns", "300", "-for", "10s", "-restart", "4s", "-pressure", "2s", "-lag", "1m"}, &out)
	if err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "| messages checked") {
		t.Errorf("no figures:\n%s", out.String())
	}
	t.Log(out.String())
}

// A check that fails is an error.
func TestChecks(t *testing.T) {
	s := &soak{counts: counts{Messages: 1, Wrong: 1}}
	s.plain.Accepted, s.secure.Accepted, s.worst = 1, 1, 2
	err := s.print(new(bytes.Buffer), 0, holdings{1, 1, 0}, holdings{2, 2, 9 << 20})
	for _, want := range []string{"wrong", "descriptors", "goroutines", "memory", "late"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
