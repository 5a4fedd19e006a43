// Package eddy answers one question: which file descriptors are ready?
//
// It is the seam between an event loop and the kernel: a [Poller] is one epoll
// instance (Linux) or one kqueue (macOS and the BSDs). A descriptor is
// registered once, for both directions, edge-triggered; from then on every
// [Poller.Wait] returns what has changed.
//
// Socket calls are in package sockets, timers in package timerwheel, tasks in
// package reactor, and connections in package net. A Poller never reads, writes
// or closes a descriptor that it was given, and never changes its flags.
//
// # Edges
//
// An event means that something has changed, not that it still holds. A
// descriptor that was reported Readable is reported again when more arrives,
// not because data was left unread. Its owner must therefore remember the
// readiness until a read fails with EAGAIN. The descriptor must be nonblocking,
// because readiness is a hint: another process may have taken the data.
//
// Any change may report the whole state again: on Linux, data that arrives on a
// socket with room to write reports Readable and Writable together, and on the
// BSDs the end of the input reports Writable too. A bit that is set means
// "try"; a bit that is not set means nothing.
//
// # Closing a descriptor
//
// Call [Poller.Remove] before closing. Epoll watches the open file, not the
// descriptor: if a duplicate (dup(2), fork(2), a passed descriptor) keeps the
// file open, its events keep coming after close, with the token it was added
// with. That is why an event carries a token and no descriptor. A caller that
// never uses a token twice can recognize such an event as stale, even if the
// number belongs to another file by then, and even within one batch.
//
// # Portability
//
//   - Regular files and directories are refused (EPERM), although a kqueue
//     accepts them: they are always ready.
//   - If a descriptor is closed before Remove, Remove fails with EBADF on epoll
//     (and a duplicate may go on reporting); on kqueue closing has unregistered
//     it and Remove succeeds.
//   - A stream socket that is neither connecting, connected nor listening counts
//     as hung up on Linux (Writable|Hangup). Add it after connect(2) or listen(2).
//   - A TCP peer that closes reports only ReadClosed, since it announces no
//     more than the end of its writing. Hangup follows when both sides are shut
//     down, or on a reset.
package eddy
