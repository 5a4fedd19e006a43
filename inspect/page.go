package inspect

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// The page is one file that loads nothing but json and stack beside it. Data
// enters the document as text, never as markup.
//
//go:embed page.html
var page string

// pagePolicy lets the page run its own script and style, and send requests to
// this server, and nothing else: markup injected by a name could not run, load
// or send anything.
var pagePolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src " + sourceHash(page, "script"),
	"style-src " + sourceHash(page, "style"),
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
}, "; ")

// sourceHash returns a policy's source expression for the text of a page's only
// element with a tag.
func sourceHash(page, tag string) string {
	_, text, _ := strings.Cut(page, "<"+tag+">")
	text, _, _ = strings.Cut(text, "</"+tag+">")
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	io.WriteString(w, page)
}
