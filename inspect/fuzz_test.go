package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/eddyio/eddy/reactor"
)

// Whatever loops, tasks and servers are called: JSON can be decoded, metrics can be
// parsed, text has a line for each task, and nothing controls a terminal or is markup.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"billing", "", "a\nb\r\v\f\x85", "\x1b[31m\x7f\u009b", "\u202eevil", "<script>alert(1)</script>&", "a\"b\\c,{}\t|", "\xff\xc0\x80", "# EOF", "$%{}%s"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		o := reactor.Options{Name: name, Record: 1 << 16}
		if err := o.Run(context.Background(), func(ctx context.Context) error { return checkNamed(t, ctx, name) }); err != nil {
			t.Error(err)
		}
	})
}

// checkNamed checks all formats in a loop of a name, with tasks of it.
func checkNamed(t *testing.T, ctx context.Context, name string) error {
	var e reactor.Event
	var m reactor.Mutex
	reactor.Go(ctx, func(ctx context.Context) error {
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock()
		return e.Wait(ctx)
	}).SetName(name)
	reactor.Go(ctx, func(ctx context.Context) error {
		if err := m.Lock(ctx); err != nil { // a task of that name holds it
			return err
		}
		m.Unlock()
		return nil
	}).SetName(name)
	reactor.Yield(ctx)
	defer e.Set()
	for path := range routes {
		if path != "/{$}" && path != "/trace" {
			checkAnswer(t, path)
		}
	}
	var trace bytes.Buffer
	if err := reactor.WriteTrace(&trace, time.Minute); err != nil {
		return err
	}
	checkJSON(t, "the trace", trace.Bytes())
	health, err := json.Marshal(healths())
	if err != nil {
		return err
	}
	checkJSON(t, "the variable of expvar", health)
	checkTexts(t, Take(ctx), name)
	return nil
}

// checkAnswer checks what the handler answers. The loop is the only one of the process.
func checkAnswer(t *testing.T, path string) {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	h, body := w.Header(), w.Body.String()
	if w.Code != 200 || h.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(h.Get("Content-Type"), "html") {
		t.Errorf("%s: %d, %v", path, w.Code, h)
	}
	switch path {
	case "/json":
		checkJSON(t, path, w.Body.Bytes())
		var s Snapshot
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || len(s.Loops) != 1 || len(s.Loops[0].Tasks) != 3 {
			t.Errorf("%v: %+v", err, s)
		}
		return
	case "/metrics":
		if values, err := parseMetrics(body, false); err != nil || len(values) == 0 {
			t.Errorf("%v in\n%s", err, body)
		}
	}
	checkText(t, path, body)
}

// checkTexts checks the texts of a snapshot of which all that can be named has a name.
func checkTexts(t *testing.T, s *Snapshot, name string) {
	t.Helper()
	lines := map[string]int{}
	for format, write := range map[string]func(*strings.Builder){
		"ps":     func(b *strings.Builder) { s.WritePS(b) },
		"pstree": func(b *strings.Builder) { s.WritePSTree(b) },
	} {
		var b strings.Builder
		write(&b)
		checkText(t, format, b.String())
		lines[format] = strings.Count(b.String(), "\n")
	}
	if n := len(s.Loops[0].Tasks); lines["ps"] != n+2 || lines["pstree"] != n+1 {
		t.Errorf("%d tasks have %v lines", n, lines)
	}
	l := &s.Loops[0]
	l.Error = name
	l.Servers = []Server{{Address: name}}
	l.Slow = []Slow{{Task: name, Stack: name}}
	l.Suspects = []Suspect{{Why: name}}
	l.Census = []Site{{Func: name, Site: name}}
	l.Standing = &Standing{Name: name, Stack: name}
	s.Program = name
	var b strings.Builder
	writeAll(&b, s)
	writeStack(&b, s, "", "")
	checkText(t, "text", b.String())
	data, err := json.Marshal(s)
	if err != nil {
		t.Error(err)
	}
	checkJSON(t, "a snapshot", data)
}

// checkText checks that a text controls no terminal.
func checkText(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is no UTF-8: %q", what, text)
	}
	for _, c := range text {
		if c != '\n' && c != '\t' && hidden(c) {
			t.Errorf("%s has %U: %q", what, c, text)
		}
	}
}

// checkJSON checks that JSON can be decoded, and that nothing in it is markup.
func checkJSON(t *testing.T, what string, data []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil || !utf8.Valid(data) {
		t.Errorf("%s: %v: %q", what, err, data)
	}
	raw := func(c rune) bool { return c < ' ' && c != '\n' || c == '<' || c == '>' || c == '&' }
	if bytes.ContainsFunc(data, raw) {
		t.Errorf("%s is %q", what, data)
	}
}
