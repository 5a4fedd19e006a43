// Package kqmodel answers one question: what would a kqueue say?
//
// It is a model of kqueue(2) and kevent(2) for Linux, which has neither: the part
// of them that eddy's BSD backend uses, written from the manual pages of FreeBSD,
// NetBSD, OpenBSD and macOS. Built with the tag kqueue_model, eddy runs on that
// backend, unchanged, and its tests on this model. It serves for nothing else: it
// is slow. What the tests compare it with is what a NetBSD kernel answered; the
// rest of it is a reading of manuals and sources.
//
// The systems differ. Each has a personality here, a table of what its kqueue
// does, and the environment variable EDDY_KQUEUE chooses one of them: netbsd,
// freebsd, openbsd, dragonfly or darwin. Unset, it is strict, which is no system's,
// and takes what is hardest for its user:
//
//   - Half of the calls that only submit changes fail with EINTR, having applied
//     them.
//   - EVFILT_WRITE is reported before EVFILT_READ.
//   - A timeout of more than 10^8 seconds is EINVAL, as on older versions of Darwin.
//   - EVFILT_WRITE cannot be added to a pipe whose other end is closed (EPIPE), nor
//     to a kqueue (EINVAL).
//   - A process that has ended cannot be watched (ESRCH).
//   - A report is made for an activation only, and never for another filter's.
//
// With restless:SEED it also reports again, at random, what it has reported: no
// kernel promises not to.
//
// What it leaves out: every filter but READ, WRITE and PROC with NOTE_EXIT; every
// flag but ADD, DELETE, ENABLE, CLEAR, ONESHOT, EOF and ERROR; regular files; udata. Kevent
// panics when asked for a filter or flag that it leaves out.
//
// Where it can't be exact, for Linux does not tell: a descriptor that is closed
// and replaced by a duplicate of the very same file between two calls passes for
// one that stayed open; the errno in fflags is guessed, ECONNREFUSED before a TCP
// socket was seen connected and ECONNRESET after, for Linux tells it only by
// taking it away; how much of a pipe's or a socket's room makes it writable, what a
// socket does about data that nobody has read when it is closed, and when an
// acknowledgement comes, are Linux's.
package kqmodel
