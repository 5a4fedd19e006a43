// Package inspect answers: which task, where, since when, and why is the loop
// slow? It inspects all loops of the process from outside, for browsers,
// terminals, monitoring systems and programs.
//
//	http.Handle("/debug/eddy/", http.StripPrefix("/debug/eddy", inspect.Handler()))
//
// A running loop is inspected in small pieces, between which it goes on;
// 100,000 tasks delay it by less than 50 ms in all, in pieces of half a millisecond
// (go test -bench Look). A blocked loop is not waited
// for: the result has what is known without its help, namely the task that
// blocks its thread, with its stack, and the tasks as last seen. So serve the
// Handler on goroutines, as package net/http does: it answers even if every
// loop is blocked.
//
// Without requests, nothing is copied.
//
// # What it reveals
//
// Names of tasks and functions, places in the source code, addresses of peers, stacks,
// and how busy the program is. It shows no data that tasks handle, and changes
// nothing. But a task's name is chosen by the program, and so perhaps by a
// peer: it is escaped in all formats. Handler answers requests only if their
// Host is an address or localhost, not a name that another site may point at
// this machine, and refuses requests of other sites' pages. That keeps out only
// browsers: any program that can reach the address can read it, so bind it to
// the loopback interface or use [Serve].
//
// # What it leaves to others
//
// Package reactor/core describes what a task waits for, also for deadlock
// reports and reactor.Dump. The loop itself reports failures; see
// reactor.Options.
package inspect
