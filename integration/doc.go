// Package integration answers: do real libraries work on eddy's connections, with
// real servers? Its tests start PostgreSQL, Redis and others, and use each library in
// a task, in reactor.ToThread, and on goroutines beside the loop. docs/libraries.md is
// what they print.
//
// It is a module of its own, so that none of these libraries enters eddy's go.mod.
package integration
