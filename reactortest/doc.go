// Package reactortest answers: what does this program do if nothing but a seed
// decides what happens? It runs a loop in virtual time, on a simulated network,
// in a test: a whole system, with its servers, its clients and its timers.
//
//	func TestEcho(t *testing.T) {
//		reactortest.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
//			n.SetLinks(reactortest.Link{Latency: time.Millisecond, Jitter: 5 * time.Millisecond})
//			n.Host("server").Start(serve) // which listens on ":80"
//			c, err := net.Dial(ctx, "tcp", "server:80")
//			...
//		})
//	}
//
// The program is the same as ever: it calls eddy's net and reactor, and there is
// no second interface to write it for. What it must do is to ask [reactor.Now]
// for the time, and not time.Now.
//
// # Time
//
// The clock stands still while a task runs, and jumps when all wait: an hour
// passes in microseconds. See [Run] for tests of timers alone, and [Clock] for
// moving it by hand.
//
// A deadline that was made from time.Now, as std and third-party code makes them,
// is taken for the time that is left until then, to the nearest ten
// milliseconds. A context made by context.WithTimeout goes by the system's timers,
// and is refused by [Simulate]; [reactor.Timeout] is not.
//
// # The network
//
// A [Network] is hosts with names and addresses, and links between them. TCP, UDP
// and Unix sockets behave as Linux's do with its defaults, faults included: timeouts,
// resets, TIME-WAIT, backlogs, the ephemeral ports, what a datagram costs. See [Link]
// for what a link does, [HostFaults] for what a kernel does, and the methods of
// [Network] and [Host] for partitions, resets, crashes and restarts. The function that
// Simulate calls is at home on a host of its own, "test".
//
// What a host's function keeps in its variables is its memory, and gone after a
// restart. What shall outlive a crash, as a disk does, is kept outside of it.
//
// # Replays
//
// A failure prints its seed, and the command that replays it and prints the trace:
// who ran when, what it waited for, what was sent and what was lost. The flags of
// a test that imports this package:
//
//	-eddy.seeds=N  seeds 1 to N, in the place of the test's own
//	-eddy.seed=S   this seed alone, with its trace
//	-eddy.trace    the trace of every run
//	-eddy.twice    each seed twice; see Options.Twice
//
// # What is not simulated
//
// Descriptors of one socket are not duplicated, so that File, and passing
// descriptors, fail; so do SOCK_SEQPACKET sockets, multicast, urgent data, and
// everything that is no socket: subprocesses, files' readiness, signals. There is no
// file system: a Unix socket's name is a name and no path. TCP has no congestion
// control, and no acknowledgements of their own: a link that is cut in one direction
// does not trouble the sender in the other. Only a socket that calls itself opens a
// connection without a listener. Accepted connections do not hold their port. What a
// program encrypts is not the same in each run, unless it uses testing/cryptotest.
//
// # What it leaves to others
//
// How tasks run is package reactor's business, here as everywhere; what a socket
// does for its user is net's.
package reactortest
