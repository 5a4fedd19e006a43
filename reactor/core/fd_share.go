package core

// Share tells f that its file description has other descriptors, which may be
// anybody's. Whether an operation blocks is the description's business, so somebody
// may change that; those who use f must make only calls that don't wait, however
// the description is set. It can't be undone. It may be called from anywhere.
func (f *FD) Share() {
	if k := f.kind.Load(); !k.shared {
		own := *k
		own.shared, own.plain = true, false
		f.kind.Store(&own)
	}
}

// Shared reports whether Share was called. It may be called from anywhere.
func (f *FD) Shared() bool { return f.kind.Load().shared }

// Shared reports whether [FD.Share] was called for an FD of this kind.
func (k *FDKind) Shared() bool { return k.shared }
