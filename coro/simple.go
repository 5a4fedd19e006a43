package coro

// A Simple generator only yields: it receives no values and has no result (PEP
// 255).
type Simple[Y any] = Generator[Y, struct{}, struct{}]

// NewSimple returns a generator of the values that body passes to yield, which
// is [Yielder.Yield] without the sent value. It is [New] for the common case,
// and costs the same.
func NewSimple[Y any](body func(yield func(Y) error) error) *Simple[Y] {
	return New(func(y *Yielder[Y, struct{}]) (struct{}, error) {
		return struct{}{}, body(func(v Y) error {
			_, err := y.Yield(v)
			return err
		})
	})
}
