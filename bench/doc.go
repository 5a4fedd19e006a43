// Package bench answers: what does eddy cost, compared with the alternatives in
// Go and with event loops of other languages? It is a module of its own, so
// that nothing measured here becomes a dependency of eddy. Its tests are the
// benchmarks that need no second process; each has an equivalent with
// goroutines, channels, sync or time:
//
//	cd bench && go test -bench .
//
// The other benchmarks are programs, whose comments describe how they measure:
//
//	go run ./echo     throughput, CPU time and latency of echo servers
//	go run ./idle     memory of idle connections
//	go run ./soak     a long test with hostile peers and scarce resources
//	go run ./timers   timers, a million pending
//	go run ./http     fasthttp on eddy's connections
package bench
