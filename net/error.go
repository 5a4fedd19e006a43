package net

import (
	"os"

	"github.com/eddyio/eddy/reactor"
)

// plain replaces the reactor's error for a closed socket with this package's.
func plain(err error) error {
	if err == os.ErrClosed {
		return ErrClosed
	}
	return err
}

// opError wraps err in an *OpError, unless it is one already. from and to are
// its Source and Addr; from is nil for an operation that concerns only one
// address.
func opError(op, network string, from, to Addr, err error) error {
	if _, wrapped := err.(*OpError); wrapped {
		return err
	}
	return wrapInOpError(op, network, from, to, err)
}

// wrapInOpError wraps err in an *OpError, even if it is one.
func wrapInOpError(op, network string, from, to Addr, err error) error {
	return &OpError{Op: op, Net: network, Source: from, Addr: to, Err: plain(err)}
}

// repanic panics if err is the panic of the task that worked for the caller.
func repanic(err error) {
	if p, ok := err.(*reactor.PanicError); ok {
		panic(p.Value)
	}
}
