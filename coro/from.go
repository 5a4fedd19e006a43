package coro

// From yields all that inner yields, as if inner's body stood in the place of
// the call: what y's generator is sent goes to inner, what is thrown at it is
// thrown at inner, and closing it closes inner. It is Python's yield from
// (PEP 380). Only the body that y belongs to may call it.
//
// It returns inner's result, or the zero R if inner was over before; the error
// that inner's body returned; or [ErrClosed] once it has closed inner. The
// errors of Next, Yield and Close come back as they are.
//
// Each value passes through every generator in a chain of Froms, at the cost
// of a Next and a Yield each.
func From[Y, S, R any](y *Yielder[Y, S], inner *Generator[Y, S, R]) (R, error) {
	if !y.frame.mine() {
		var none R
		return none, errNotBody
	}
	v, err := inner.Next()
	for err == nil {
		s, thrown := y.Yield(v)
		switch {
		case thrown == nil:
			v, err = inner.Send(s)
		case besidesClosed(thrown) == nil:
			err = inner.Close()
			if err == nil {
				err = thrown
			}
		default:
			v, err = inner.Throw(thrown)
		}
	}
	return result[R](err)
}

// result takes a generator's result out of the error that ended it.
func result[R any](err error) (R, error) {
	var none R
	if r, ok := err.(*Return[R]); ok {
		return r.Value, nil
	}
	if err == ErrStop {
		return none, nil
	}
	return none, err
}
