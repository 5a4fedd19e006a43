//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The whole program, with few connections. A goroutine with a buffer of 64 KiB,
// of which a page is touched, shows.
func TestIdle(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if err := run([]string{"-peers", "eddy,net", "-conns", "200", "-rounds", "1", "-out", dir}, &out, &errs); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	text, err := os.ReadFile(filepath.Join(dir, "idle.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"eddy", "net"} {
		l := r.find(key)
		if len(l.Rounds) != 1 || !strings.Contains(out.String(), "| "+l.Title+" ") {
			t.Fatalf("%s has %d rounds: %s\n%s", key, len(l.Rounds), l.Error, out.String())
		}
		if v := l.Rounds[0]; v.SilentCollected < 500 || v.SpokenCollected > 200<<10 {
			t.Errorf("%s takes this for a connection: %+v", key, v)
		}
	}
	if v := r.find("net").Rounds[0]; v.SpokenCollected < v.SilentCollected+1000 {
		t.Errorf("the first use of a buffer does not show: %+v", v)
	}
	if _, err := os.Stat(filepath.Join(dir, "idle.svg")); err != nil {
		t.Error(err)
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-peers", "nobody"}, {"-conns", "0"}, {"-conns", "100000000"}, {"-rounds", "0"}, {"what"}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
