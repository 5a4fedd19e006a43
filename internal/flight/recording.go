package flight

import (
	"strconv"
	"time"
)

// A Recording is a copy of a loop's ring, with what is needed to read it.
type Recording struct {
	Loop int    // its number in the process
	Name string // of its main function

	Records []Record  // the last one is what was under way as the copy was made
	Start   time.Time // when the ticks began
	Rate    float64   // nanoseconds a tick
	End     int64     // when the copy was made, in ticks

	Waits     []string // what tasks wait for, from FirstNamed on
	Functions []string // what tasks run
	Tasks     map[uint32]string
}

// Last drops what happened longer than d before the end. Steps and waits that began
// before are dropped too.
func (r *Recording) Last(d time.Duration) {
	from := r.End - int64(float64(d)/r.Rate)
	for i, x := range r.Records {
		if x.Ticks() >= from || i == len(r.Records)-1 {
			r.Records = r.Records[i:]
			return
		}
	}
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
