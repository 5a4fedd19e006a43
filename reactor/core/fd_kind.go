package core

import (
	"github.com/eddyio/eddy/sockets"
)

// An FDKind is the common state of FDs, such as all those that one listener
// accepts. It must not change once an FD has it.
type FDKind struct {
	Sockets sockets.Calls

	// Before, if set, is called before the descriptor is closed. Close, if set, closes
	// it in place of Sockets.Close.
	Before func()
	Close  func(fd int) error

	// Name, if set, completes the description of a wait, in which For and On
	// are set; On is the descriptor's number. It is called on the loop.
	Name func(f *FD, d *Wait)

	Drains   bool // a read that does not fill its buffer has taken all there was
	Datagram bool // a read of 0 bytes is an empty datagram, not the end

	real   bool // the Sockets are the system's own
	shared bool // see FD.Share
	plain  bool // real, and not shared
}

// KindOf returns a kind of descriptors of these socket calls.
func KindOf(sys sockets.Calls) FDKind {
	_, real := sys.(sockets.System)
	return FDKind{Sockets: sys, real: real, plain: real}
}

// Real reports whether Sockets are the system's own.
func (k *FDKind) Real() bool { return k.real }

// Plain reports whether Sockets are the system's own and the file description
// is not shared; see [FD.Share].
func (k *FDKind) Plain() bool { return k.plain }

// CloseFD closes a descriptor of this kind.
func (k *FDKind) CloseFD(fd int) error {
	if k.Before != nil {
		k.Before()
	}
	if k.Close != nil {
		return k.Close(fd)
	}
	return k.Sockets.Close(fd)
}
