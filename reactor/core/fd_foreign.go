package core

// borrow registers an fd for its waiters. If there are waiters already it
// registers the fd again: only then does an edge-triggered poller report the
// present state, which earlier waiters may have consumed.
func (t *fdTable) borrow(l *Loop, fd int) (*FD, error) {
	f := t.foreign[fd]
	if f != nil {
		l.poller.Remove(fd)
		t.remove(f)
	} else {
		f = &FD{loop: l, sysfd: int32(fd)}
	}
	if err := t.add(f); err != nil {
		if f.lock.Load() > 0 {
			delete(t.foreign, fd)
			f.read.waiters.WakeAll(WokenClosed)
			f.write.waiters.WakeAll(WokenClosed)
			f.flags |= closed
		}
		return nil, err
	}
	if t.foreign == nil {
		t.foreign = make(map[int]*FD)
	}
	t.foreign[fd] = f
	return f, nil
}

// Borrow registers an fd, which may be any descriptor, and lets x wait in a
// direction: 0 is reading, 1 is writing. Once x has left the list, GiveBack
// undoes it.
func (l *Loop) Borrow(fd, dir int, x *Waiter) (*FD, error) {
	f, err := l.fds.borrow(l, fd)
	if err != nil {
		return nil, err
	}
	f.lock.Add(1)
	f.direction(dir).waiters.Push(x)
	return f, nil
}

// FDWaits counts the tasks and callbacks that wait for an fd: n more of them. While
// there are any, the loop is not deadlocked.
func (l *Loop) FDWaits(n int) { l.ioWaits += n }

// IsClosed reports whether f is closed.
func (f *FD) IsClosed() bool { return f.flags&closed != 0 }

// GiveBack undoes one Borrow; the last one ends the registration.
func (f *FD) GiveBack() {
	if f.lock.Add(-1) == 0 && f.flags&closed == 0 {
		delete(f.loop.fds.foreign, f.Sysfd())
		f.Close()
	}
}

// direction returns the state of a direction: 0 is reading, 1 is writing.
func (f *FD) direction(dir int) *direction {
	if dir == 0 {
		return &f.read
	}
	return &f.write
}
