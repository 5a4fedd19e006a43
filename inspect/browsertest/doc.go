// Package browsertest answers: does the page of package inspect work in a
// browser? Its tests drive a headless Chromium, and are skipped if there is
// none.
//
//	go test -run Picture -update .   # takes the picture of docs/inspect.md again
//
// It is a module of its own, so that eddy's own tests need no browser.
package browsertest
