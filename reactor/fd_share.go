package reactor

// Share tells f that its file description has other descriptors, which may be
// anybody's. Whether an operation blocks is the description's business, so somebody
// may change that; those who use f must make only calls that don't wait, however
// the description is set. It can't be undone. It may be called where Close may.
func (f *FD) Share() {
	f.loop.onLoop("FD.Share")
	f.flags |= shared
}

// Shared reports whether Share was called.
func (f *FD) Shared() bool { return f.flags&shared != 0 }
