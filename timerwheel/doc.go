// Package timerwheel answers one question: of a great many deadlines, which
// is next? It is a data structure and knows numbers only. Where the time comes
// from, how one sleeps until it, and what is to happen at a deadline belong to
// the wheel's owner; so does a lock, if more than one goroutine is about.
//
// A deadline is an int64, in nanoseconds since an origin that the owner
// chooses; any unit would do, for the wheel only compares. Adding, cancelling
// and resetting a timer take constant time however many are pending, timers
// fire in exact order, and nothing here ever allocates: the owner embeds a
// [Timer] in whatever waits, and the wheel threads its lists through it.
//
// # Design
//
// It is a hierarchical timing wheel (Varghese and Lauck, "Hashed and
// hierarchical timing wheels", SOSP 1987) of 11 levels with 64 slots each, in
// which a deadline's place is given by the highest bit in which it differs from
// the wheel's time. Its ticks are single units and its levels span 63 bits, so
// no slot wraps, no list holds an overflow, and nothing is rounded.
package timerwheel
