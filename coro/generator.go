package coro

import "errors"

// A Generator is a function that can stop in the middle to hand out a value,
// and be resumed there with an answer. It yields values of type Y, is sent
// values of type S (struct{} if none), and returns an R in the end. [New] makes
// one; on the zero Generator every call panics.
//
// Its methods, unless they say otherwise, may be called from the goroutine that
// made it and from every coroutine with the same [Root]: so a generator may
// drive others that its maker made, and a scheduler's tasks may share one. From
// any other goroutine they change nothing and return [ErrWrongGoroutine].
//
// A started generator holds a goroutine, about 2.6 KB, until its body returns.
// Nothing collects it: drive the generator to its end or call Close. One that
// never started holds none.
//
// Whoever drives a generator must be locked to its thread, or not be, as the
// first Next found it: runtime.LockOSThread or UnlockOSThread between that and
// a later use, on the driver's side or the body's, is a fatal error of the
// runtime's ("coro: OS thread locking must match locking at coroutine
// creation"), which no code can detect beforehand. Lock before the first Next.
type Generator[Y, S, R any] struct {
	owner    owner // who may look at the rest
	y        Yielder[Y, S]
	f        func(*Yielder[Y, S]) (R, error) // nil once begun or Closed
	result   R
	err      error       // the body's, until the call that meets the end has it
	panicked *PanicError // likewise
	lost     error       // a Close's, which a break in All could not return
}

// New returns a generator that will run body. It runs nothing yet and starts no
// goroutine: that is for the first Next. It may be called from any goroutine,
// and binds the generator to it (see [Generator]). It panics if body is nil.
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
// returns an error, Next returns that; every later call returns [ErrStop]. (An
// error that is itself an ErrStop, from a generator that the body drove,
// becomes one that is not.) If the body panics, Next panics with a
// [*PanicError]; if it calls runtime.Goexit, so does Next. Either way the
// generator is over. Next returns [ErrRunning] if the body calls it.
//
// Costs about 85 ns, there and back (a bare iter.Pull: 63 ns), and allocates
// nothing, save the first one, which starts a goroutine and costs half a
// microsecond.
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

// Send is Next with a value, which the body's Yield returns. A generator that
// has not started waits in no Yield: for it Send returns [ErrNotStarted] and
// changes nothing.
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

// Throw resumes the body by letting its Yield return err, and otherwise does
// what Next does: the body may go on to yield another value. If the generator
// has not started, its body never runs and the generator is over; then, and
// if it is over already, Throw returns err. err must not be nil.
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
// returns nil if the body returned a result or nothing but ErrClosed, with or
// without words around it. What the body joined to ErrClosed (see [errors.Join])
// is returned without it, and any other error as it is. Close returns nil for a
// generator that is over already. Panics and Goexits of the body come out of it
// as out of Next.
//
// If the body yields once more instead, Close drops that value and returns
// [ErrIgnoredClose]. The generator is then Suspended at that Yield, holds its
// goroutine still, and may be driven, or closed, again.
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

// State returns how far g has come. It may be called from any goroutine, but
// knows only on those that may drive g, g's own body among them.
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

// ready reports that g waits in a Yield and that the caller, who used it last
// too, may drive it: the usual case, told at once. If it reports false, that
// remains to be seen.
func (g *Generator[Y, S, R]) ready() bool {
	return g.owner.used() && g.y.frame.state == Suspended
}

// begin starts the body if it has not begun, or returns why Next may not
// resume it.
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

// checkSend returns why Send may not resume the body, if so.
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

// check returns why the caller may not drive g, if so.
func (g *Generator[Y, S, R]) check() error {
	if !g.owner.admits() {
		return ErrWrongGoroutine
	}
	if g.y.frame.state == Running {
		return ErrRunning
	}
	return nil
}

// start gives the body its goroutine. It is done by the call that first
// resumes the body, so that no LockOSThread can come in between.
func (g *Generator[Y, S, R]) start() {
	f := g.f
	g.f = nil
	g.y.frame.body.Init(func() {
		defer g.end()
		g.result, g.err = f(&g.y)
	})
}

// end is deferred around the body and runs on the body's goroutine. After a
// Goexit there is nothing to note: the driver will not get to ask.
func (g *Generator[Y, S, R]) end() {
	if v := recover(); v != nil {
		g.panicked = newPanicError(v)
	}
	g.y.frame.state = Closed
}

// discard ends a generator that never began.
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
