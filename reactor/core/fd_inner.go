package core

import "time"

// An InnerFD is an FD whose methods do not ask whether the caller is on the loop: for
// an operation that calls several of them, and has asked [FD.OnLoop] once. To call
// one elsewhere corrupts the loop.
type InnerFD FD

// Inner returns f's methods that do not ask who calls.
func (f *FD) Inner() *InnerFD { return (*InnerFD)(f) }

// WaitRead is [FD.WaitRead].
func (f *InnerFD) WaitRead() error { return (*FD)(f).wait(&f.read, canRead) }

// WaitWrite is [FD.WaitWrite].
func (f *InnerFD) WaitWrite() error { return (*FD)(f).wait(&f.write, canWrite) }

// CheckRead is [FD.CheckRead].
func (f *InnerFD) CheckRead() error { return (*FD)(f).check(&f.read) }

// CheckWrite is [FD.CheckWrite].
func (f *InnerFD) CheckWrite() error { return (*FD)(f).check(&f.write) }

// LockWrite is [FD.LockWrite].
func (f *InnerFD) LockWrite() error { return (*FD)(f).lockWrite() }

// TryLockWrite is [FD.TryLockWrite].
func (f *InnerFD) TryLockWrite() bool { return (*FD)(f).tryLockWrite() }

// PauseWrite is [FD.PauseWrite].
func (f *InnerFD) PauseWrite(d time.Duration) error { return (*FD)(f).pauseWrite(d) }

// Scratch is [FD.Scratch].
func (f *InnerFD) Scratch() []byte { return f.loop.scratch.lend(f.loop) }

// Closed reports whether f is closed.
func (f *InnerFD) Closed() bool { return f.flags&closed != 0 }
