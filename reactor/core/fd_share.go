package core

// Share records that f's file description has other descriptors, which other
// code may use. Blocking is a property of the description, so other code may
// turn it on; users of f must then make only calls that never wait. It can't be
// undone. It may be called from anywhere.
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
