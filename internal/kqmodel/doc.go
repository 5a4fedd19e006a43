// Package kqmodel answers one question: what would a kqueue report?
//
// It is a model of kqueue(2) and kevent(2) for Linux, which has neither: the part
// of them that eddy's BSD backend uses, written from the manual pages of FreeBSD,
// NetBSD, OpenBSD and macOS. Built with the tag kqueue_model, eddy runs that
// backend, unchanged, on this model. It is slow and meant for tests only. Its
// own tests compare it with answers recorded from a NetBSD kernel; the rest
// follows manuals and sources.
//
// The systems differ. Each has a personality here, a table of what its kqueue
// does, and the environment variable EDDY_KQUEUE chooses one of them: netbsd,
// freebsd, openbsd, dragonfly or darwin. Unset, it is strict, a personality of
// no real system that always makes the choice that is hardest for its user:
//
//   - Half of the calls that only submit changes fail with EINTR, having applied
//     them.
//   - EVFILT_WRITE is reported before EVFILT_READ.
//   - A timeout of more than 10^8 seconds is EINVAL, as on older versions of Darwin.
//   - EVFILT_WRITE cannot be added to a pipe whose other end is closed (EPIPE), nor
//     to a kqueue (EINVAL).
//   - A process that has ended cannot be watched (ESRCH).
//   - A filter reports only after an activation of its own.
//
// With restless:SEED it also repeats reports at random: no kernel promises not
// to.
//
// It leaves out: all filters except READ, WRITE, and PROC with NOTE_EXIT; all
// flags except ADD, DELETE, ENABLE, CLEAR, ONESHOT, EOF and ERROR; regular
// files; udata. Kevent panics if it is given an unsupported filter or flag.
//
// Linux limits its accuracy. A descriptor that is closed and replaced by a
// duplicate of the same file between two calls seems to have stayed open. The
// errno in fflags is guessed, ECONNREFUSED before a TCP socket was seen
// connected and ECONNRESET after, because reading it on Linux clears it. As on
// Linux are: how much room makes a pipe or a socket writable, what closing a
// socket with unread data does, and when acknowledgements arrive.
package kqmodel
