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
// ended, from either side. The errors of a join are judged one by one.
func isUnremarkable(err error) bool { return isEndOf(err, ends) }

func isEndOf(err error, ends []error) bool {
	switch e := err.(type) {
	case *reactor.PanicError:
		return false // whatever the panic's value
	case *OpError:
		if e.Op == "dial" {
			ends = ownEnds // the kernel's errors concern another peer
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

// isOneOf reports whether err, which may wrap several, consists only of these
// errors.
func isOneOf(err error, these []error) bool {
	is, _ := err.(interface{ Is(error) bool })
	for _, e := range these {
		if err == e || is != nil && is.Is(e) {
			return true
		}
	}
	return false
}

// ownEnds are the errors of connections ended by this side; ends adds those of
// connections ended by a peer that closed or vanished.
var (
	ownEnds = []error{io.EOF, ErrClosed, os.ErrClosed, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded}
	ends    = append(slices.Clip(ownEnds), syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, syscall.ENOTCONN,
		syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.EHOSTDOWN, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.ENETRESET)
)
