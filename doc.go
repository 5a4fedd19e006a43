// Package eddy answers one question: which file descriptors are ready?
//
// It is the seam between an event loop and the kernel: a [Poller] is one epoll
// instance (Linux) or one kqueue (macOS and the BSDs). A descriptor is
// registered once, for both directions, edge-triggered; from then on every
// [Poller.Wait] says what has changed.
//
// What it leaves to others: the socket calls (package sockets), time (a loop
// decides how long to wait, and package timerwheel which deadline is next), tasks
// (package reactor), and what to do with a ready descriptor (package net). A Poller
// reads and writes no descriptor of the caller's, changes none of their flags, and
// closes none of them.
//
// # Edges
//
// A report says that something changed, not that something is still so. A
// descriptor that was reported Readable is reported again when more arrives,
// not because some data was left unread; so its owner remembers the readiness
// until a read fails with EAGAIN. The descriptor has to be nonblocking, since
// readiness is a hint: another process may have taken the data.
//
// Any change may repeat the whole state: on Linux data that arrives on a
// socket with room to write reports Readable and Writable together, and on the
// BSDs the end of the input reports Writable too. A bit that is set means "try";
// a bit that is not set means nothing.
//
// # Closing a descriptor
//
// Call [Poller.Remove] before closing. Epoll watches the open file and not the
// number: if a duplicate (dup(2), fork(2), a passed descriptor) keeps the file
// open, its events keep coming after close, with the token it was added with.
// That is why an event carries a token and no descriptor: a caller who never
// uses a token twice can tell that such an event is for nobody, even when the
// number belongs to another file by then, and even when both happen within one
// batch.
//
// # Portability
//
//   - Regular files and directories are refused (EPERM), though a kqueue would
//     take them: they never block in a way that a poller could help with.
//   - A descriptor closed before Remove: on epoll Remove fails with EBADF (and a
//     duplicate may go on reporting); on kqueue closing has unregistered it and
//     Remove succeeds.
//   - A stream socket that is neither connecting, connected nor listening counts
//     as hung up on Linux (Writable|Hangup). Add it after connect(2) or listen(2).
//   - A TCP peer that closes has said only that it will not write: that is
//     ReadClosed. Hangup follows when both sides are shut down, or on a reset.
package eddy
