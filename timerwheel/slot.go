package timerwheel

import "math/bits"

// Read as a number in base 64, a time has a digit for each level; levels cover
// the 63 bits of a non-negative int64, the top one with 8 slots in use.
//
// A slot's number is 64*level + digit. A timer is at the level of the highest
// digit in which it differs from the wheel's time, and its digit there is the
// greater one. So slots in numerical order hold timers in order of deadline.
const (
	digitBits = 6
	perLevel  = 1 << digitBits
	levels    = 11
	slots     = levels * perLevel
)

// slotOf returns the slot of deadline when >= cur in a wheel at time cur.
func slotOf(cur, when int64) uint16 {
	level := uint(bits.Len64(uint64(cur^when)|1)-1) / digitBits
	digit := uint(when>>(level*digitBits)) % perLevel
	return uint16(level*perLevel + digit)
}

// slotStart returns the least deadline that slot s can hold in a wheel at time
// cur: the digits of cur above the slot's level, its own digit, zeros below.
func slotStart(cur int64, s uint16) int64 {
	shift := uint(s/perLevel) * digitBits
	// At the top level the mask is all ones: shifting by 64 or more gives 0.
	mask := uint64(1)<<(shift+digitBits) - 1
	return int64(uint64(cur)&^mask | uint64(s%perLevel)<<shift)
}
