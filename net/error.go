package net

import (
	"os"

	"github.com/eddyio/eddy/reactor"
)

// plain puts this package's error for a closed socket in the place of the
// reactor's.
func plain(err error) error {
	if err == os.ErrClosed {
		return ErrClosed
	}
	return err
}

// opError makes an *OpError of err, unless it is one already. from and to are its
// Source and Addr; an operation that concerns one address alone has no from.
func opError(op, network string, from, to Addr, err error) error {
	if _, wrapped := err.(*OpError); wrapped {
		return err
	}
	return wrapInOpError(op, network, from, to, err)
}

// wrapInOpError makes an *OpError of err, even if that is one.
func wrapInOpError(op, network string, from, to Addr, err error) error {
	return &OpError{Op: op, Net: network, Source: from, Addr: to, Err: plain(err)}
}

// repanic panics as a task has that worked for the caller, and ended with err.
func repanic(err error) {
	if p, ok := err.(*reactor.PanicError); ok {
		panic(p.Value)
	}
}
