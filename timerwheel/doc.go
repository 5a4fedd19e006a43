// Package timerwheel answers one question: of a great many deadlines, which is
// next? It is a data structure over numbers. The wheel's owner reads the clock,
// sleeps, and acts at a deadline; it also provides a lock if several goroutines
// use the wheel.
//
// A deadline is an int64, in nanoseconds since an origin that the owner
// chooses; any unit would do, because the wheel only compares. Adding,
// cancelling and resetting a timer take constant time however many are pending,
// timers fire in exact order, and nothing here ever allocates: the owner embeds
// a [Timer] in its own objects, and the wheel links its lists through it.
//
// # Design
//
// It is a hierarchical timing wheel (Varghese and Lauck, "Hashed and
// hierarchical timing wheels", SOSP 1987) of 11 levels with 64 slots each, in
// which a deadline's place is given by the highest bit in which it differs from
// the wheel's time. Its ticks are single units and its levels span 63 bits, so
// no slot wraps, no list holds an overflow, and nothing is rounded.
package timerwheel
