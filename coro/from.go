package coro

// From yields all that inner yields, as if inner's body replaced the call:
// values sent to y's generator go to inner, errors thrown into it are thrown
// into inner, and closing it closes inner. It is Python's yield from (PEP 380).
// Only y's body may call it.
//
// It returns inner's result, or the zero R if inner was over before; the error
// that inner's body returned; or [ErrClosed] once it has closed inner. Errors
// of Next, Yield and Close are returned unchanged.
//
// In a chain of Froms each value passes through every generator, at the cost of
// a Next and a Yield each.
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

// result extracts a generator's result from the error that ended it.
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
