package timerwheel

// A Timer is one deadline. Embed it in the object that waits for it, or
// allocate it with that. The zero Timer is inactive and ready for use. An
// active timer belongs to the wheel it was added to: it must not be copied, nor
// passed to another wheel's Cancel or Reset. A timer that fired or was
// cancelled is inactive, refers to no other, and may be added again to any
// wheel.
//
// Its methods must be called from the goroutine that owns its wheel.
type Timer[T any] struct {
	// next and prev link the timers of a slot in a ring; nil when inactive.
	next, prev *Timer[T]
	when       int64
	// slot is where the timer is linked. It is stored because the slot computed
	// from the wheel's time at removal may be another one.
	slot uint16

	// Value is the owner's. The wheel neither reads nor writes it.
	Value T
}

// Active reports whether t was added and has neither fired nor been cancelled.
func (t *Timer[T]) Active() bool { return t.next != nil }

// When returns the deadline last given to Add or Reset, unchanged even if it
// was in the past and even after t fired or was cancelled; 0 if there was none.
func (t *Timer[T]) When() int64 { return t.when }
