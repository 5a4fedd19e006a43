// Package bench answers: what does eddy cost, beside what a Go programmer would
// use instead, and beside other languages' loops? It is a module of its own, so
// that nothing measured here becomes a dependency of eddy. Its tests are the
// benchmarks that need no second process; each has the goroutine, channel, sync
// or time equivalent beside it:
//
//	cd bench && go test -bench .
//
// What needs more is in programs, which tell in their comments how they measure:
//
//	go run ./echo     throughput, CPU time and latency of echo servers
//	go run ./idle     memory of idle connections
//	go run ./soak     connections under attack and pressure, for long
//	go run ./timers   timers, a million pending
//	go run ./http     fasthttp on eddy's connections
package bench
