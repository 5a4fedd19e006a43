package flight

// A Record is one thing that happened. It is two words, so that it can be written by two
// plain stores.
//
// Records stand in the order in which things ended: what happened in a step or a turn
// stands before it, and has the time at which it began. A task that waits for a descriptor
// and runs without having been Woken was so by the turn before.
//
// When is the time in the upper 56 bits, in ticks since the recorder's start, and what
// happened in the lower 8. What is two numbers of 32 bits, [Record.ID] and
// [Record.Detail], or in a Turn a duration and a number.
type Record struct {
	When, What uint64
}

// A Kind is what happened.
type Kind uint8

const (
	None      Kind = iota // no record
	Turn                  // a turn has asked the kernel, and others: how long that took, and how many are ready
	Slept                 // the same, of a turn that slept
	Asks                  // the same, of a turn that has not ended
	Woken                 // task ID became ready; Detail is a Cause
	Readied               // the kernel reports on descriptor ID; Detail is eddy.Readiness
	Posted                // Detail functions of other goroutines are called
	Made                  // task ID was made; Detail is a number of Recording.Functions
	Ended                 // task ID is over; Detail is an Outcome
	Serves                // task ID serves connection Detail, and goes on
	Runs                  // a step of task ID; it has not ended
	Yields                // a step of task ID, which is ready again
	Over                  // the last step of task ID
	Calls                 // a step of a callback
	Served                // a step of connection ID
	FirstWait             // a step of task ID, which waits for what has this number, and Detail
)

// The first numbers of what tasks wait for have a Detail.
const (
	ForRead  = FirstWait + iota // of descriptor Detail
	ForWrite                    // to descriptor Detail
	ForTurn                     // to write to descriptor Detail, after other tasks
	ForTask                     // Detail
	ForOther                    // something for which there is no number left
	FirstNamed
)

// A Cause is why a task was woken.
type Cause uint32

const (
	ByEvent  Cause = iota // by what it waited for
	ByTimer               // its time had come
	ByCancel              // its ctx was done
	ByClose               // what it waited for was closed
	ByCut                 // the loop's end cut it off
)

func (c Cause) String() string {
	if names := [...]string{"done", "timer", "cancelled", "closed", "cut off"}; int(c) < len(names) {
		return names[c]
	}
	return "unknown"
}

// An Outcome is how a task ended.
type Outcome uint32

const (
	Well Outcome = iota
	Failed
	Panicked
	Cancelled
)

func (o Outcome) String() string {
	if names := [...]string{"nil", "an error", "a panic", "a cancellation"}; int(o) < len(names) {
		return names[o]
	}
	return "unknown"
}

// ends reports whether r is a step or a turn, to which all belongs since the one before.
func (r Record) ends() bool {
	k := r.Kind()
	return k == Turn || k == Slept || k == Asks || k >= Runs
}

// Kind returns what happened.
func (r Record) Kind() Kind { return Kind(r.When) }

// Ticks returns when.
func (r Record) Ticks() int64 { return int64(r.When >> 8) }

// ID returns the first number.
func (r Record) ID() uint32 { return uint32(r.What >> 32) }

// Detail returns the second number.
func (r Record) Detail() uint32 { return uint32(r.What) }

// Two packs two numbers.
func Two(id, detail uint32) uint64 { return uint64(id)<<32 | uint64(detail) }

// A turn's numbers have 40 and 24 bits. What is larger is written as the largest.
const (
	maxTurn  = 1<<40 - 1
	maxReady = 1<<24 - 1
)

// TurnOf packs the numbers of a Turn: how long it took, and how many were ready after it.
func TurnOf(took int64, ready int) uint64 {
	return uint64(min(max(took, 0), maxTurn))<<24 | uint64(min(ready, maxReady))
}

// Turn returns the numbers of a Turn. long reports whether it took at least so long.
func (r Record) Turn() (took int64, long bool, ready int) {
	took = int64(r.What >> 24)
	return took, took == maxTurn, int(r.What & maxReady)
}
