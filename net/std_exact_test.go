package net

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"syscall"
)

// exactly is all that there is to an error: its types, the fields of each and its
// text, but for what differs from run to run.
func exactly(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// A dial that its ctx ends holds the ctx's error here; std has one of its own.
		return describe(err)
	}
	return fmt.Sprintf("%s %q", inside(err), varying(err.Error()))
}

// inside is an error without the text.
func inside(err error) string {
	switch err := err.(type) {
	case *OpError:
		return fmt.Sprintf("OpError{%s %s from %s to %s timeout %v temporary %v: %s}",
			err.Op, err.Net, exactAddr(err.Source), exactAddr(err.Addr), err.Timeout(), err.Temporary(), inside(err.Err))
	case *os.SyscallError:
		return fmt.Sprintf("SyscallError{%s: %s}", err.Syscall, inside(err.Err))
	case syscall.Errno:
		return fmt.Sprintf("Errno{%d}", int(err))
	case *AddrError:
		return fmt.Sprintf("AddrError{%s %s}", err.Err, varying(err.Addr))
	case *DNSError:
		return fmt.Sprintf("DNSError{%s %s %s %v %v %v}", err.Err, err.Name, err.Server, err.IsTimeout, err.IsTemporary, err.IsNotFound)
	}
	return fmt.Sprintf("%T", err)
}

// exactAddr is all that there is to an address, with the length of its IP.
func exactAddr(a Addr) string {
	switch a := a.(type) {
	case nil:
		return "nil"
	case *TCPAddr:
		return fmt.Sprintf("%T{%d bytes %s}", a, len(a.IP), varying(a.String()))
	case *UDPAddr:
		return fmt.Sprintf("%T{%d bytes %s}", a, len(a.IP), varying(a.String()))
	case *UnixAddr:
		return fmt.Sprintf("%T{%s %s}", a, a.Net, varying(a.String()))
	}
	return fmt.Sprintf("{%s %s}", a.Network(), varying(a.String())) // of a type that has no public name
}

var varies = regexp.MustCompile(`:-?\d{4,}\b|/eddy\d+|/Test\w+/\d+`)

// varying is a text without the ports and the directories that are others in each
// world.
func varying(s string) string { return varies.ReplaceAllString(s, "*") }
