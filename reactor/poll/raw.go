package poll

import (
	"os"
)

// Raw has the methods of syscall.RawConn, for functions of users, which may
// block a goroutine, or exit it. A function that a task passes must not wait.
type Raw struct{ FD *FD }

// Control calls do with the descriptor.
func (r Raw) Control(do func(fd uintptr)) error {
	f := r.FD
	if f.core.OnLoop() {
		if err := f.touch(); err != nil {
			return err
		}
		do(uintptr(f.core.Sysfd()))
		return nil
	}
	if !f.isReal() {
		return elsewhere0(f, func() error { return r.Control(do) })
	}
	g, err := f.borrow()
	if err != nil {
		return err
	}
	defer g.giveBack()
	if err := g.raw.Control(do); err != nil {
		return g.plain(err)
	}
	return nil
}

// Read calls do until it returns true, after each wait until f can be read. It
// tries before it waits, because do may only check whether there is something.
func (r Raw) Read(do func(fd uintptr) (done bool)) error {
	f := r.FD
	switch {
	case f.core.OnLoop():
		return f.rawRead(do)
	case f.isReal():
		return f.rawApart(do, reading)
	}
	return elsewhere0(f, func() error { return f.rawRead(do) })
}

func (f *FD) rawRead(do func(fd uintptr) bool) error {
	if err := f.touch(); err != nil {
		return err
	}
	in := f.core.Inner()
	if err := in.CheckRead(); err != nil {
		return err
	}
	for !do(uintptr(f.core.Sysfd())) {
		f.core.ReadBlocked()
		if err := in.WaitRead(); err != nil {
			return err
		}
	}
	return nil
}

// Write is like Read, for writing, and holds the write lock meanwhile.
func (r Raw) Write(do func(fd uintptr) (done bool)) error {
	f := r.FD
	switch {
	case f.core.OnLoop():
		return f.rawWrite(do)
	case f.isReal():
		return f.rawApart(do, writing)
	}
	return elsewhere0(f, func() error { return f.rawWrite(do) })
}

func (f *FD) rawWrite(do func(fd uintptr) bool) error {
	if err := f.touch(); err != nil {
		return err
	}
	in := f.core.Inner()
	if err := in.LockWrite(); err != nil {
		return err
	}
	defer f.core.UnlockWrite()
	if err := in.CheckWrite(); err != nil {
		return err
	}
	for !do(uintptr(f.core.Sysfd())) {
		f.core.WriteBlocked()
		if err := in.WaitWrite(); err != nil {
			return err
		}
	}
	return nil
}

func (f *FD) rawApart(do func(fd uintptr) bool, d direction) error {
	g, err := f.borrow()
	if err != nil {
		return err
	}
	defer g.giveBack()
	if d == reading {
		err = g.raw.Read(do)
	} else {
		if !f.core.TryLockApart() && !g.waitForLock() {
			return os.ErrClosed
		}
		defer g.unlock()
		err = g.raw.Write(do)
	}
	if err != nil {
		return g.plain(err)
	}
	return nil
}

// borrow enters for a function of a user, for which the descriptor must not be
// replaced.
func (f *FD) borrow() (*goSide, error) {
	g, err := f.enter()
	if err == nil {
		g.lent.Add(1)
	}
	return g, err
}

func (g *goSide) giveBack() {
	g.lent.Add(-1)
	g.leave()
}
