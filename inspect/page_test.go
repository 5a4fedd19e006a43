package inspect

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// The page's policy allows its own script and style, and nothing from elsewhere; the page
// needs nothing from elsewhere, and writes no markup.
func TestPageIsSelfContained(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "127.0.0.1:6060"
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Body.String() != page {
		t.Fatalf("the page is not served: %d, %v", w.Code, w.Header())
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %s: %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	for _, tag := range []string{"script", "style"} {
		if n := strings.Count(page, "<"+tag); n != 1 || !strings.Contains(page, "<"+tag+">") {
			t.Errorf("the page has %d of %s, want one without attributes: the policy has its hash", n, tag)
		}
	}
	for _, pattern := range []string{`https?://(?:[^w]|www\.[^w])`, `(?i)\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|DOMParser|srcdoc|new Function)\b`, `\bon[a-z]+=`, `<[a-z][^>]* style=`, `\b(src|@import|url\()=?`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page contains %q", found)
		}
	}
}
