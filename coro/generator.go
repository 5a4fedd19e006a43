package coro

import "errors"

// A Generator is a function that can stop to yield a value and be resumed there
// with an answer. It yields values of type Y, receives values of type S
// (struct{} if none), and returns an R at the end. [New] makes one; on the zero
// Generator every call panics.
//
// Unless documented otherwise, its methods may be called from the goroutine
// that made it and from every coroutine with the same [Root]: a generator may
// drive others that its maker made, and a scheduler's tasks may share one. On
// any other goroutine they change nothing and return [ErrWrongGoroutine].
//
// A started generator holds a goroutine, about 2.6 KB, until its body returns.
// The garbage collector does not free it: drive the generator to its end or
// call Close. A generator that has not started holds none.
//
// A driver must be locked to its thread at every use if it was at the first
// Next, and else at none. A runtime.LockOSThread or UnlockOSThread in between,
// by the driver or the body, is a fatal error of the runtime ("coro: OS thread
// locking must match locking at coroutine creation"), which cannot be detected
// beforehand. Lock before the first Next.
type Generator[Y, S, R any] struct {
	owner    owner // guards the other fields
	y        Yielder[Y, S]
	f        func(*Yielder[Y, S]) (R, error) // nil once begun or Closed
	result   R
	err      error       // the body's, until a call returns it
	panicked *PanicError // likewise
	lost     error       // of the Close after a break in All, for the next Close
}

// New returns a generator that will run body. It starts no goroutine: the first
// Next does. It may be called from any goroutine, and binds the generator to it
// (see [Generator]). It panics if body is nil.
func New[Y, S, R any](body func(y *Yielder[Y, S]) (R, error)) *Generator[Y, S, R] {
	if body == nil {
		panic("coro: New needs a body")
	}
	g := &Generator[Y, S, R]{f: body}
	g.y.frame.state = Created
	g.owner.init()
	return g
}

// Next resumes the body, or starts it, and returns the next value it yields.
// The body sees Yield return the zero S.
//
// When the body returns a result, Next returns it as a [*Return]; when it
// returns an error, Next returns that; every later call returns [ErrStop]. (If
// the body returns the ErrStop of another generator, it is replaced by an error
// that is not ErrStop.) If the body panics, Next panics with a [*PanicError];
// if it calls runtime.Goexit, so does Next. Either way the generator is over.
// Next returns [ErrRunning] if the body calls it.
//
// It costs about 85 ns, there and back (a bare iter.Pull: 63 ns), and does not
// allocate, except for the first call, which starts a goroutine and costs half
// a microsecond.
func (g *Generator[Y, S, R]) Next() (Y, error) {
	if !g.ready() {
		if err := g.begin(); err != nil {
			return g.nothing(err)
		}
	}
	g.y.frame.resume()
	if g.y.frame.state == Suspended {
		return g.y.take(), nil
	}
	return g.nothing(g.outcome())
}

// Send is Next with a value, which the body's Yield returns. If the generator
// has not started, no Yield could return it: then Send returns [ErrNotStarted]
// and changes nothing.
func (g *Generator[Y, S, R]) Send(s S) (Y, error) {
	if !g.ready() {
		if err := g.checkSend(); err != nil {
			return g.nothing(err)
		}
	}
	g.y.sent = s
	g.y.frame.resume()
	if g.y.frame.state == Suspended {
		return g.y.take(), nil
	}
	return g.nothing(g.outcome())
}

// Throw resumes the body, whose Yield returns err. Otherwise it is like Next:
// the body may yield another value. If the generator has not started, its body
// never runs and the generator is over; then, and if it is over already, Throw
// returns err. err must not be nil.
func (g *Generator[Y, S, R]) Throw(err error) (Y, error) {
	if misuse := g.check(); misuse != nil {
		return g.nothing(misuse)
	}
	if err == nil {
		return g.nothing(errNilThrow)
	}
	switch g.y.frame.state {
	case Created:
		g.discard()
		return g.nothing(err)
	case Closed:
		return g.nothing(err)
	}
	return g.resume(err)
}

// Close ends the generator: its body sees Yield return [ErrClosed], and should
// clean up and return. If it has not started, its body never runs. Close
// returns nil if the body returned a result, or ErrClosed, wrapped or not. If
// the body joined other errors to ErrClosed (see [errors.Join]), Close returns
// those; it returns any other error unchanged. It returns nil if the generator
// is over already. If the body panics or calls runtime.Goexit, so does Close,
// like Next.
//
// If the body yields once more instead, Close drops that value and returns
// [ErrIgnoredClose]. The generator is then Suspended at that Yield, still holds
// its goroutine, and may be driven or closed again.
func (g *Generator[Y, S, R]) Close() error {
	if err := g.check(); err != nil {
		return err
	}
	switch g.y.frame.state {
	case Created:
		g.discard()
		return nil
	case Closed:
		err := g.lost
		g.lost = nil
		return err
	}
	_, err := g.resume(ErrClosed)
	switch {
	case err == nil:
		return ErrIgnoredClose
	case errors.Is(err, ErrStop):
		return nil
	}
	return besidesClosed(err)
}

// State returns the state of g. It may be called from any goroutine, but
// returns Unknown on those that may not drive g. (g's own body may ask.)
func (g *Generator[Y, S, R]) State() State {
	if !g.owner.admits() {
		return Unknown
	}
	return g.y.frame.state
}

func (g *Generator[Y, S, R]) nothing(err error) (Y, error) {
	var none Y
	return none, err
}

// ready reports whether g waits in a Yield and the caller also used it last, so
// that it may drive g: the usual case, checked quickly. If it returns false,
// the caller may still be allowed to.
func (g *Generator[Y, S, R]) ready() bool {
	return g.owner.used() && g.y.frame.state == Suspended
}

// begin starts the body if it has not begun, or returns an error if Next may
// not resume it.
func (g *Generator[Y, S, R]) begin() error {
	if err := g.check(); err != nil {
		return err
	}
	switch g.y.frame.state {
	case Created:
		g.start()
	case Closed:
		return ErrStop
	}
	return nil
}

// checkSend returns an error if Send may not resume the body.
func (g *Generator[Y, S, R]) checkSend() error {
	if err := g.check(); err != nil {
		return err
	}
	switch g.y.frame.state {
	case Created:
		return ErrNotStarted
	case Closed:
		return ErrStop
	}
	return nil
}

// check returns an error if the caller may not drive g.
func (g *Generator[Y, S, R]) check() error {
	if !g.owner.admits() {
		return ErrWrongGoroutine
	}
	if g.y.frame.state == Running {
		return ErrRunning
	}
	return nil
}

// start gives the body its goroutine. The call that first resumes the body does
// this, so that no LockOSThread can come in between.
func (g *Generator[Y, S, R]) start() {
	f := g.f
	g.f = nil
	g.y.frame.body.Init(func() {
		defer g.end()
		g.result, g.err = f(&g.y)
	})
}

// end is deferred around the body and runs on the body's goroutine. After a
// Goexit it records nothing: the driver exits too.
func (g *Generator[Y, S, R]) end() {
	if v := recover(); v != nil {
		g.panicked = newPanicError(v)
	}
	g.y.frame.state = Closed
}

// discard ends a generator that has not begun.
func (g *Generator[Y, S, R]) discard() {
	g.f = nil
	g.y.frame.state = Closed
}

// resume throws err into the body and returns what it yielded or how it ended.
func (g *Generator[Y, S, R]) resume(err error) (Y, error) {
	g.y.frame.thrown = err
	g.y.frame.resume()
	if g.y.frame.state == Suspended {
		return g.y.take(), nil
	}
	return g.nothing(g.outcome())
}

// outcome returns how the body ended, once.
func (g *Generator[Y, S, R]) outcome() error {
	if p := g.panicked; p != nil {
		g.panicked = nil
		panic(p)
	}
	if err := g.err; err != nil {
		g.err = nil
		return bodyError(err)
	}
	var none R
	r := &Return[R]{g.result}
	g.result = none
	return r
}
