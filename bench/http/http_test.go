//go:build linux

package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/proc"
)

// The servers answer alike.
func TestServers(t *testing.T) {
	built, skipped := peers.Build(t.TempDir(), peers.HTTP)
	if len(skipped) > 0 {
		t.Fatal(skipped)
	}
	for _, p := range built {
		srv, err := proc.Start(0, p.Argv...)
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Stop()
		client := http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		for range 3 { // on one connection
			r, err := client.Get("http://" + srv.Addr + "/")
			if err != nil {
				t.Fatalf("%s: %v", p.Title, err)
			}
			body, err := io.ReadAll(r.Body)
			r.Body.Close()
			if err != nil || r.StatusCode != 200 || r.ContentLength != 1024 || string(body) != strings.Repeat("x", 1024) || r.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("%s answered %v with %d bytes, %v", p.Title, r, len(body), err)
			}
		}
	}
}

func TestHTTP(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if err := run([]string{"-peers", "eddy", "-conns", "2", "-rounds", "1", "-time", "1", "-out", dir}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| fasthttp on eddy ") || strings.Contains(out.String(), "failed") {
		t.Errorf("it printed\n%s%s", out.String(), errs.String())
	}
	for _, name := range []string{"http.md", "http.json", "http.svg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutWrk(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var out bytes.Buffer
	if err := run(nil, &out, io.Discard); err != nil || !strings.HasPrefix(out.String(), "skipped: ") {
		t.Errorf("it says %q, %v", out.String(), err)
	}
}

func TestParseWrk(t *testing.T) {
	const text = `Running 2s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   658.70us  123.31us   3.18ms   91.08%
  Latency Distribution
     50%  632.00us
     75%  684.00us
     90%  741.00us
     99%    1.22ms
  194321 requests in 2.00s, 215.34MB read
Requests/sec:  97152.66
Transfer/sec:    107.66MB
`
	r, requests, err := parseWrk(text)
	if err != nil || requests != 194321 || r.Rate != 97152.66 || r.P50 != 632 || r.P99 != 1220 {
		t.Errorf("wrk's figures are taken as %+v, %v, %v", r, requests, err)
	}
	for _, bad := range []string{"", strings.Replace(text, "194321", "0", 1), text + "  Non-2xx or 3xx responses: 7\n", text + "  Socket errors: connect 0, read 7, write 0, timeout 0\n"} {
		if _, _, err := parseWrk(bad); err == nil {
			t.Errorf("this was taken for success: %s", bad)
		}
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-peers", "nobody"}, {"-rounds", "0"}, {"-time", "0"}, {"what"}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
