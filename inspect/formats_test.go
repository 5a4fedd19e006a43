package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/eddyio/eddy/reactor"
)

var sample = regexp.MustCompile(`^([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (\S+)$`)

// parseMetrics checks a text in the format of Prometheus or OpenMetrics, and returns its
// values by names and labels.
func parseMetrics(text string, open bool) (map[string]float64, error) {
	text, ok := strings.CutSuffix(text, "# EOF\n")
	if ok != open {
		return nil, fmt.Errorf("ends with # EOF: %v", ok)
	}
	values, family, kind := make(map[string]float64), "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if f := strings.SplitN(line, " ", 4); f[0] == "#" {
			if len(f) < 4 || f[1] != "HELP" && f[1] != "TYPE" {
				return nil, fmt.Errorf("bad comment %q", line)
			}
			if family = f[2]; f[1] == "TYPE" {
				kind = f[3]
			}
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || !strings.HasPrefix(m[1], family) || kind == "counter" && !strings.HasSuffix(m[1], "_total") {
			return nil, fmt.Errorf("bad line %q below %s %s", line, kind, family)
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if _, twice := values[m[1]+m[2]]; err != nil || twice {
			return nil, fmt.Errorf("%v, or twice: %q", err, line)
		}
		values[m[1]+m[2]] = v
	}
	return values, nil
}

// The metrics are well-formed, and those of the loop.
func TestMetricsFormat(t *testing.T) {
	run(t, func(ctx context.Context) error {
		reactor.Sleep(ctx, time.Millisecond)
		for _, open := range []bool{false, true} {
			var b bytes.Buffer
			WriteMetrics(&b, open)
			values, err := parseMetrics(b.String(), open)
			if err != nil {
				t.Fatalf("%v in\n%s", err, b.String())
			}
			l := measured{id: reactor.LoopOf(ctx).Core().Number(), name: reactor.LoopOf(ctx).Core().Main()}
			if values["eddy_loop_tasks"+l.labels()] != 1 || values["eddy_loop_steps_total"+l.labels()] < 1 || values["eddy_loop_lag_seconds_count"+l.labels()] < 1 {
				t.Errorf("of %s:\n%s", l.labels(), b.String())
			}
		}
		return nil
	})
	l := measured{name: "a\"b\\c\nd\xff"}
	if _, err := parseMetrics("# HELP x y\nx{"+l.labels()+"} 1\n", false); err != nil {
		t.Error(err)
	}
}

// The socket can be reached by its user alone, replaces one that is dead and no other
// file, and is gone afterwards.
func TestServeOnASocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s.%p")
	at := filepath.Join(dir, "s."+strconv.Itoa(os.Getpid()))
	stop, err := Serve(path)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(at); err != nil || i.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", i, err)
	}
	if _, err := Serve(path); err == nil {
		t.Error("a socket that is served was replaced")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", at)
	}}}
	r, err := client.Get("http://eddy/json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var s Snapshot
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil || s.PID != os.Getpid() {
		t.Errorf("%v: %+v", err, s)
	}
	stop()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	os.WriteFile(at, []byte("precious"), 0o600)
	if _, err := Serve(path); err == nil {
		t.Error("a file was replaced")
	}
}

// published counts variables of expvar, whose names a process can use once.
var published atomic.Int32

// The variable of expvar is JSON, with the loop's health.
func TestPublish(t *testing.T) {
	name := fmt.Sprint("eddy of the test ", published.Add(1))
	Publish(name)
	run(t, func(ctx context.Context) error {
		reactor.Sleep(ctx, time.Millisecond)
		var all []loopHealth
		if err := json.Unmarshal([]byte(expvar.Get(name).String()), &all); err != nil {
			return err
		}
		for _, l := range all {
			if l.ID == reactor.LoopOf(ctx).Core().Number() && l.Health.Steps > 0 {
				return nil
			}
		}
		t.Errorf("%+v", all)
		return nil
	})
}

// What tasks are called breaks no line, and controls no terminal.
func TestNastyNames(t *testing.T) {
	run(t, func(ctx context.Context) error {
		reactor.Current(ctx).SetName("a<b>\n\x1b[31m\xff\u202e")
		s := Take(ctx)
		var tree strings.Builder
		s.WritePSTree(&tree)
		if !strings.Contains(tree.String(), "1 a<b>\uFFFD\uFFFD[31m\uFFFD\uFFFD is running") {
			t.Errorf("%q", tree.String())
		}
		if data, err := json.Marshal(s); err != nil || !utf8.Valid(data) || bytes.ContainsAny(data, "<>\n\x1b") {
			t.Errorf("%v: %q", err, data)
		}
		return nil
	})
}
