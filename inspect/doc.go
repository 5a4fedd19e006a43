// Package inspect answers: which task, where, since when, and why is the loop slow? It
// looks at all loops of the process from outside, and tells what it sees to browsers,
// terminals, monitoring systems and programs.
//
//	http.Handle("/debug/eddy/", http.StripPrefix("/debug/eddy", inspect.Handler()))
//
// A loop that takes turns is asked in small pieces, between which it goes on; 100,000
// tasks hold it up for some 30 ms in all. One that stands is not waited for: what
// is known of it without its help is reported, the task that keeps its thread with its
// stack, and the tasks as they were when somebody last looked. So serve the Handler by
// goroutines, as package net/http does: it answers while every loop stands.
//
// Nothing is copied while nobody asks.
//
// # What it reveals
//
// Names of tasks and functions, places in the source code, addresses of peers, stacks,
// and how busy the program is. It shows no data that tasks handle, and changes nothing,
// but a task's name is what the program, and so perhaps a peer, has made it: it is
// escaped in all formats. Handler answers requests only if they come for an address or
// for localhost, not for a name that anybody may point at this machine, and refuses those
// that other sites' pages make. That keeps browsers out, and nobody else: whoever can
// reach the address can read it, so bind it to the loopback interface or use [Serve].
//
// # What it leaves to others
//
// What a task waits for is package reactor/core's to say, which reports of deadlocks and
// reactor.Dump ask too. The loop itself reports what goes wrong, see reactor.Options.
package inspect
