package net

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/eddyio/eddy/reactor"
)

// isUnremarkable reports whether a handler's error only means that its connection
// ended, from either side. What is joined to such an error counts by itself.
func isUnremarkable(err error) bool { return isEndOf(err, ends) }

func isEndOf(err error, ends []error) bool {
	switch e := err.(type) {
	case *reactor.PanicError:
		return false // whatever it panicked with
	case *OpError:
		if e.Op == "dial" {
			ends = ownEnds // the kernel's errors are those of another peer
		}
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(e error) bool { return !isEndOf(e, ends) })
	}
	if isOneOf(err, ends) {
		return true
	}
	inner := errors.Unwrap(err)
	return inner != nil && isEndOf(inner, ends)
}

// isOneOf reports whether err, whatever it wraps, is one of these.
func isOneOf(err error, these []error) bool {
	is, _ := err.(interface{ Is(error) bool })
	for _, e := range these {
		if err == e || is != nil && is.Is(e) {
			return true
		}
	}
	return false
}

// ownEnds are the ends that this side gives a connection; ends are these and those
// that a peer can give it, by leaving or by vanishing.
var (
	ownEnds = []error{io.EOF, ErrClosed, os.ErrClosed, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded}
	ends    = append(slices.Clip(ownEnds), syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, syscall.ENOTCONN,
		syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.EHOSTDOWN, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.ENETRESET)
)
