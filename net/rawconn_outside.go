package net

// This file is a rawConn's methods for other goroutines than the loop's. The
// function that such a goroutine passes is called on it, and not on the loop: it
// may be anybody's code, which may panic, or exit its goroutine as a test's Fatal
// does. The loop is asked for the descriptor, which it lends, and to wait.

func (r *rawConn) controlOutside(f func(fd uintptr)) error {
	fd, err := elsewhere(r.fd, r.fd.Hold)
	if err != nil {
		return r.failed("raw-control", err)
	}
	defer r.fd.Release(fd)
	f(uintptr(fd))
	return nil
}

func (r *rawConn) readOutside(f func(fd uintptr) bool) error {
	for ready := r.fd.CheckRead; ; ready = r.fd.WaitRead {
		fd, err := elsewhere(r.fd, func() (int, error) {
			if err := ready(); err != nil {
				return -1, err
			}
			r.fd.ReadBlocked() // before f tries: what the kernel says meanwhile counts
			return r.fd.Hold()
		})
		if err != nil {
			return r.failed("raw-read", err)
		}
		if r.tryOutside(fd, f, r.fd.RetryRead) {
			return nil
		}
	}
}

func (r *rawConn) writeOutside(f func(fd uintptr) bool) error {
	for ready := r.lockWrite; ; ready = r.waitWrite {
		fd, err := elsewhere(r.fd, func() (int, error) {
			if err := ready(); err != nil {
				return -1, err
			}
			r.fd.WriteBlocked()
			return r.fd.Hold()
		})
		if err != nil {
			return r.failed("raw-write", err)
		}
		if r.tryOutside(fd, f, func() { r.fd.RetryWrite(); r.fd.UnlockWrite() }) {
			return nil
		}
	}
}

// lockWrite and waitWrite have the lock for writing unless they fail.

func (r *rawConn) lockWrite() error {
	if err := r.fd.LockWrite(); err != nil {
		return err
	}
	return r.orUnlock(r.fd.CheckWrite())
}

func (r *rawConn) waitWrite() error { return r.orUnlock(r.fd.WaitWrite()) }

func (r *rawConn) orUnlock(err error) error {
	if err != nil {
		r.fd.UnlockWrite()
	}
	return err
}

// tryOutside calls f with a descriptor that is held. Unless f says that it would
// block, over is called on the loop afterwards, however f was left.
func (r *rawConn) tryOutside(fd int, f func(fd uintptr) bool, over func()) bool {
	blocked := false
	defer func() {
		if !blocked {
			r.fd.Loop().Post(over)
		}
		r.fd.Release(fd)
	}()
	blocked = !f(uintptr(fd))
	return !blocked
}
