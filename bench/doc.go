// Package bench measures eddy beside what a Go programmer would use instead:
// goroutines, channels, package sync, package time. It is a module of its own,
// so that nothing measured here becomes a dependency of eddy.
//
//	cd bench && go test -bench .
//	cd bench && go run ./echo
package bench
