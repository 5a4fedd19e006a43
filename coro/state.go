package coro

// A State is the state of a generator. Its transitions are
//
//	Created → Running ⇄ Suspended
//
// and from each of the three to Closed, where it stays.
type State uint8

const (
	Unknown   State = iota // asked from a goroutine that may not use the generator
	Created                // its body has not begun, and it holds no goroutine
	Running                // its body runs, or waits for a generator that it drives
	Suspended              // its body waits in Yield
	Closed                 // its body has ended, or will never begin
)

func (s State) String() string {
	switch s {
	case Created:
		return "created"
	case Running:
		return "running"
	case Suspended:
		return "suspended"
	case Closed:
		return "closed"
	}
	return "unknown"
}
