// Package reactortest answers: what does this program do if a seed decides? It runs a
// loop in a test, in virtual time and on a simulated network. One test can hold a whole
// system, with its servers, clients and timers.
//
//	func TestEcho(t *testing.T) {
//		reactortest.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
//			n.SetLinks(reactortest.Link{Latency: time.Millisecond, Jitter: 5 * time.Millisecond})
//			n.Host("server").Start(serve) // it listens on ":80"
//			c, err := net.Dial(ctx, "tcp", "server:80")
//			...
//		})
//	}
//
// The program is the one that runs in production: it calls packages net and reactor. It
// must call [reactor.Now] in place of time.Now.
//
// # Time
//
// The clock stands still while a task runs, and jumps when all tasks wait: an hour
// passes in microseconds. See [Run] for tests of timers alone, and [Clock] to move the
// clock by hand.
//
// A deadline computed from time.Now, as in std and third-party code, is converted to
// virtual time and rounded to ten milliseconds. context.WithTimeout uses the system's
// timers and is refused by [Simulate]. Use [reactor.Timeout].
//
// # The network
//
// A [Network] has hosts with names and addresses, and links between them. TCP, UDP and
// Unix sockets behave as on Linux with its defaults, errors included: timeouts, resets,
// TIME-WAIT, backlogs, ephemeral ports, the memory of datagrams. [Link] has the faults of
// links, and [HostFaults] those of kernels. Methods of [Network] and [Host] make
// partitions, resets, crashes and restarts. The function that Simulate calls runs on its
// own host, "test".
//
// The variables of a host's function are its memory, which a restart loses. Data that
// should survive a crash, as on a disk, belongs in variables outside the function.
//
// # Replays
//
// A failure prints its seed and a command. The command replays the run and prints its
// trace: which task ran when, what it waited for, what was sent and what was lost. A test
// that imports this package has these flags:
//
//	-eddy.seeds=N  run seeds 1 to N in place of the test's own
//	-eddy.seed=S   run only this seed, and print its trace
//	-eddy.trace    print the trace of every run
//	-eddy.twice    run each seed twice; see Options.Twice
//
// # What is not simulated
//
// These fail: duplicating a descriptor (File), passing descriptors, SOCK_SEQPACKET,
// multicast, urgent data, and everything that is not a socket, such as subprocesses,
// readiness of files, and signals. There is no file system: the name of a Unix socket is
// not a path. TCP has no congestion control and no separate acknowledgements, so that
// cutting a link in one direction does not affect a sender in the other. Of simultaneous
// opens, only that of a socket connecting to itself works. Accepted connections do not
// hold their port. Encrypted data differs from run to run unless the program uses
// testing/cryptotest.
//
// # What it leaves to others
//
// Package reactor runs the tasks, and package net implements connections, here as
// everywhere.
package reactortest
