package net

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// dialing is a dial in progress.
type dialing struct {
	*Dialer
	network string
	one     func(ctx context.Context, network string, to Addr) (Conn, error) // the error is an *OpError
}

// dialInternet resolves a TCP or UDP address and connects to one of the
// results, using one.
func (d *Dialer) dialInternet(ctx context.Context, network, address string, one func(context.Context, string, Addr) (Conn, error)) (Conn, error) {
	if address == "" {
		return nil, errMissingAddress
	}
	r := resolver{d.Resolver}
	addrs, err := r.resolve(ctx, network, address)
	if err == nil {
		addrs, err = suitable(addrs, d.LocalAddr)
	}
	if err != nil {
		return nil, err
	}
	return (&dialing{d, network, one}).any(ctx, addrs)
}

// any connects to one of addrs.
func (d *dialing) any(ctx context.Context, addrs []Addr) (Conn, error) {
	if d.network != "tcp" || d.FallbackDelay < 0 {
		return d.serial(ctx, addrs)
	}
	primaries, fallbacks := partition(addrs)
	if len(fallbacks) == 0 {
		return d.serial(ctx, primaries)
	}
	delay := d.FallbackDelay
	if delay == 0 {
		delay = 300 * time.Millisecond // std's; RFC 8305, section 8, has 250
	}
	return d.parallel(ctx, delay, primaries, fallbacks)
}

// partition splits addresses into those of the first one's family, and the
// others.
func partition(addrs []Addr) (primaries, fallbacks []Addr) {
	for _, a := range addrs {
		if isIPv4(a) == isIPv4(addrs[0]) {
			primaries = append(primaries, a)
		} else {
			fallbacks = append(fallbacks, a)
		}
	}
	return primaries, fallbacks
}

// parallel tries the primary addresses and, after a delay or when they have
// failed, the fallbacks. The first connection wins; the other attempt is
// cancelled, and parallel waits for it. If both fail, the error is the
// primaries'.
func (d *dialing) parallel(ctx context.Context, delay time.Duration, primaries, fallbacks []Addr) (Conn, error) {
	var won Conn
	var failure error
	var failed reactor.Event
	end := func(c Conn, err error) error {
		switch {
		case err != nil:
			return nil
		case won != nil: // it was made too late to be cancelled
			c.Close()
			return nil
		}
		won = c
		return errWon // cancels the other attempt
	}
	err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(func(ctx context.Context) error {
			c, err := d.serial(ctx, primaries)
			if err != nil {
				failure = err
				failed.Set()
			}
			return end(c, err)
		}).SetName("dials " + primaries[0].String())
		g.Go(func(ctx context.Context) error {
			reactor.Timeout(ctx, delay, failed.Wait)
			if ctx.Err() != nil {
				return nil
			}
			return end(d.serial(ctx, fallbacks))
		}).SetName("dials " + fallbacks[0].String())
		return nil
	})
	switch {
	case won != nil:
		return won, nil
	case failure != nil:
		return nil, failure
	}
	return nil, err // a panic's
}

var errWon = errors.New("the other attempt has won")

// serial tries addresses one after the other. The error is that of the first.
func (d *dialing) serial(ctx context.Context, addrs []Addr) (Conn, error) {
	var first error
	for i, a := range addrs {
		c, err := d.part(ctx, a, len(addrs)-i)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = opError("dial", d.network, d.LocalAddr, a, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// part connects to the first of n addresses, within its share of the remaining
// time.
func (d *dialing) part(ctx context.Context, to Addr, n int) (c Conn, err error) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return d.single(ctx, to)
	}
	left := reactor.Until(ctx, deadline)
	if left <= 0 {
		return nil, context.DeadlineExceeded
	}
	late := reactor.Timeout(ctx, partOf(left, n), func(ctx context.Context) error {
		c, err = d.single(ctx, to)
		return err
	})
	return c, cmp.Or(err, late) // see dialOnLoop
}

// single connects to one address, and calls the hooks of httptrace for it.
func (d *dialing) single(ctx context.Context, to Addr) (Conn, error) {
	trace := traceOf(ctx)
	if trace.none() {
		return d.one(ctx, d.network, to)
	}
	addr := to.String()
	err := byCaller(ctx, func() error { trace.connectStart(d.network, addr); return nil })
	if err != nil {
		return nil, err
	}
	c, err := d.one(ctx, d.network, to)
	gone := byCaller(ctx, func() error { trace.connectDone(d.network, addr, err); return nil })
	if gone != nil && c != nil {
		c.Close()
		return nil, gone
	}
	return c, err
}

// partOf returns the time for the first of n addresses: an equal part of what
// is left, but not too little to be useful, at the expense of the last ones.
func partOf(left time.Duration, n int) time.Duration {
	const least = 2 * time.Second
	return max(left/time.Duration(n), min(left, least))
}

// suitable returns the addresses that can be dialled from local, which may be
// nil.
func suitable(addrs []Addr, local Addr) ([]Addr, error) {
	if local == nil {
		return addrs, nil
	}
	if addrs[0].Network() != local.Network() {
		return nil, &AddrError{Err: "mismatched local address type", Addr: local.String()}
	}
	fits := addrs[:0]
	for _, a := range addrs {
		if isAny(local) || isAny(a) || sameFamily(ipOf(a), ipOf(local)) {
			fits = append(fits, a)
		}
	}
	if len(fits) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: local.String()}
	}
	return fits, nil
}

// sameFamily reports whether a and b are IPs of one family. It is false if
// either is not a valid IP.
func sameFamily(a, b IP) bool {
	return a.To16() != nil && b.To16() != nil && (a.To4() != nil) == (b.To4() != nil)
}
