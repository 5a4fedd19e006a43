//go:build linux

package peers

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysAreUnique(t *testing.T) {
	for _, list := range [][]Peer{Echo, HTTP} {
		seen := map[string]bool{}
		for _, p := range list {
			if seen[p.Key] || p.Key == "" || p.Title == "" || strings.Contains(p.Key, ",") {
				t.Errorf("a peer has the key %q and the title %q", p.Key, p.Title)
			}
			seen[p.Key] = true
		}
	}
	if Echo[0].Key != Limit {
		t.Error("the limit is not the first")
	}
}

func TestChoose(t *testing.T) {
	got, err := Choose(Echo, "net,c")
	if err != nil || Keys(got) != "c,net" {
		t.Errorf("chosen were %s, %v", Keys(got), err)
	}
	if all, err := Choose(Echo, "all"); err != nil || len(all) != len(Echo) {
		t.Errorf("of all, %d were chosen, %v", len(all), err)
	}
	for _, keys := range []string{"", "c,nobody"} {
		if _, err := Choose(Echo, keys); err == nil {
			t.Errorf("%q was taken as a choice", keys)
		}
	}
}

// Where no tool is, each peer is left out with a line that says so.
func TestBuildSkipsWhatItCannotBuild(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	native, err := Choose(Echo, "c,libuv,asio,tokio,net")
	if err != nil {
		t.Fatal(err)
	}
	built, skipped := Build(t.TempDir(), native)
	if len(built) != 0 || len(skipped) != len(native) {
		t.Fatalf("%d were built and %d skipped, of %d", len(built), len(skipped), len(native))
	}
	for i, s := range skipped {
		if s.Peer.Key != native[i].Key || !strings.HasPrefix(s.String(), "without "+native[i].Title+": ") {
			t.Errorf("in place of %s: %q", native[i].Title, s)
		}
	}
}

// What is compiled elsewhere must be in the program.
func TestSourcesAreEmbedded(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".go") {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if got, err := sources.ReadFile(path); err != nil || string(got) != string(want) {
			t.Errorf("%s is not embedded: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
