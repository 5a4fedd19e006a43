// Package kqmodel answers one question: what would a kqueue say?
//
// It is a model of kqueue(2) and kevent(2) for Linux, which has neither: the part
// of them that eddy's BSD backend uses, written from the manual pages of FreeBSD,
// NetBSD, OpenBSD and macOS. Built with the tag kqueue_model, eddy runs on that
// backend, unchanged, and its tests on this model. It serves for nothing else: it
// is slow, and what it proves is that the backend agrees with our reading of the
// manuals, not with a kernel.
//
// Where the systems differ, or a manual leaves a choice, the model takes what is
// hardest for its user:
//
//   - Half of the calls that only submit changes fail with EINTR, having applied
//     them.
//   - EVFILT_WRITE is told before EVFILT_READ, as macOS does for Unix sockets.
//   - A timeout of more than 10^8 seconds is EINVAL, as on Darwin.
//   - EVFILT_WRITE cannot be added to a pipe whose other end is closed (EPIPE), nor
//     to a kqueue (EINVAL).
//   - A process that has ended cannot be watched (ESRCH), as on Darwin.
//   - A report is made for an activation only, and never for another filter's.
//
// What it leaves out: every filter but READ, WRITE and PROC with NOTE_EXIT; every
// flag but ADD, DELETE, ENABLE, CLEAR, ONESHOT, EOF and ERROR; regular files; udata. Kevent
// panics when asked for a filter or flag that it leaves out.
//
// Where it can't be exact, for Linux does not tell: a descriptor that is closed
// and replaced by a duplicate of the very same file between two calls passes for
// one that stayed open; the errno in fflags is guessed, ECONNREFUSED before a TCP
// socket was seen connected and ECONNRESET after, for Linux tells it only by
// taking it away; a stream socket that was never connected counts as hung up.
package kqmodel
