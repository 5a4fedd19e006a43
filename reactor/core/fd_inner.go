package core

// An InnerFD is an FD with the methods that operations on descriptors are built
// on. They do not check whether the caller is on the loop, because an operation
// calls several and must have checked [FD.OnLoop] once. Calling one elsewhere
// corrupts the loop.
type InnerFD FD

// Inner returns f as an InnerFD.
func (f *FD) Inner() *InnerFD { return (*InnerFD)(f) }

// WaitRead is [FD.WaitRead].
func (f *InnerFD) WaitRead() error { return (*FD)(f).wait(&f.read, canRead) }

// WaitWrite is [FD.WaitWrite].
func (f *InnerFD) WaitWrite() error { return (*FD)(f).wait(&f.write, canWrite) }

// CheckRead returns the error that WaitRead would return at once, or nil if
// WaitRead would return nil or wait. Call it before trying an operation first.
func (f *InnerFD) CheckRead() error { return (*FD)(f).check(&f.read) }

// CheckWrite is like CheckRead, for writing.
func (f *InnerFD) CheckWrite() error { return (*FD)(f).check(&f.write) }

// Closed reports whether f is closed.
func (f *InnerFD) Closed() bool { return f.flags&closed != 0 }
