//go:build linux

package load

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A Sample is the result of one Run.
type Sample struct {
	Wall     time.Duration
	Messages float64 // that came back; partial ones count as fractions

	// Latency is, in a closed load, from the beginning of a burst until all of
	// it was back; in a paced one, from when a message was due until it was
	// back.
	Latency *Histogram

	// Late is, in a paced load, how long after it was due a message was begun.
	Late *Histogram

	// Busy is the share of its time in which the generator worked rather than
	// spun. If it is near 1, the generator may have limited the server.
	Busy float64
}

// Closed begins a closed load: on each connection a burst of inFlight messages
// of size bytes, and the next burst when all of it has come back.
func (g *Generator) Closed(size, inFlight int) error {
	if size < 1 || inFlight < 1 {
		return errors.New("a load needs messages of at least one byte, and at least one in flight")
	}
	g.size, g.burst = int64(size), int64(size)*int64(inFlight)
	g.look()
	for i := range g.conns {
		if err := g.conns[i].begin(g.burst, g.now); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) begin(bytes, now int64) error {
	c.owed += bytes
	c.unsent += bytes
	c.last = now
	return c.send()
}

// Paced begins a paced load: rate messages a second of size bytes, evenly
// spaced, on the connections in turn.
func (g *Generator) Paced(size int, rate float64) error {
	if size < 1 || !(rate > 0) {
		return errors.New("a load needs messages of at least one byte, and a rate")
	}
	g.size, g.burst = int64(size), 0
	g.period = max(1, time.Duration(float64(time.Second)/rate))
	g.begun = 0
	g.origin = time.Now()
	return nil
}

// due returns when a connection's k-th message is due. Connections take turns,
// so it can be computed without a record of the messages in flight.
func (g *Generator) due(conn int, k int64) int64 {
	return (k*int64(len(g.conns)) + int64(conn)) * int64(g.period)
}

// Run applies the load for a while, and continues where the last Run stopped.
// It allocates only the Sample.
func (g *Generator) Run(length time.Duration) (Sample, error) {
	g.latency.Reset()
	g.late.Reset()
	g.idle = 0
	runtime.LockOSThread() // for its CPU time
	defer runtime.UnlockOSThread()
	before, cpu, start := g.echoed(), threadTime(), g.look()
	step, arrived := g.stepClosed, g.arrivedClosed
	if g.burst == 0 {
		step, arrived = g.stepPaced, g.arrivedPaced
	}
	if err := g.loop(start+int64(length), step, arrived); err != nil {
		return Sample{}, err
	}
	wall := g.look() - start
	cpu = threadTime() - cpu
	if g.burst == 0 {
		g.recordOwed()
	}
	late, latency := g.late, g.latency
	return Sample{
		Wall:     time.Duration(wall),
		Messages: float64(g.echoed()-before) / float64(g.size),
		Latency:  &latency,
		Late:     &late,
		Busy:     float64(cpu) / float64(wall) * (1 - float64(g.idle)/float64(wall)),
	}, nil
}

func (g *Generator) loop(end int64, step func() (bool, error), arrived func(c *conn, i int) error) error {
	silence := g.now
	for g.now < end {
		before := g.now
		begun, err := step()
		if err != nil {
			return err
		}
		handled, err := g.poll(arrived)
		if err != nil {
			return err
		}
		g.look()
		if handled {
			silence = g.now
		} else if !begun {
			g.idle += g.now - before
		}
		if g.now-silence > int64(patience) && g.owed() > 0 {
			return fmt.Errorf("nothing came back for %v", patience)
		}
	}
	return nil
}

// threadTime returns the CPU time of this thread, in nanoseconds.
func threadTime() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // can't fail: clock_gettime(2)
	return t.Nano()
}

func (g *Generator) echoed() (sum int64) {
	for i := range g.conns {
		sum += g.conns[i].echoed
	}
	return sum
}

func (g *Generator) owed() (sum int64) {
	for i := range g.conns {
		sum += g.conns[i].owed
	}
	return sum
}

func (g *Generator) stepClosed() (begun bool, err error) { return false, nil }

func (g *Generator) arrivedClosed(c *conn, _ int) error {
	if c.owed > 0 {
		return nil
	}
	g.latency.Record(time.Duration(g.look() - c.last))
	return c.begin(g.burst, g.now)
}

// stepPaced begins messages that are due. If it is behind it begins only some,
// so that received data is handled in between.
func (g *Generator) stepPaced() (begun bool, err error) {
	for range 16 {
		if g.begun*int64(g.period) > g.now {
			break
		}
		g.late.Record(time.Duration(g.look() - g.begun*int64(g.period)))
		c := &g.conns[g.begun%int64(len(g.conns))]
		g.begun++
		if err := c.begin(g.size, g.now); err != nil {
			return true, err
		}
		begun = true
	}
	return begun, nil
}

// arrivedPaced records the messages that have come back completely.
func (g *Generator) arrivedPaced(c *conn, i int) error {
	g.look()
	for ; c.whole < c.echoed/g.size; c.whole++ {
		g.latency.Record(time.Duration(g.now - g.due(i, c.whole)))
	}
	return nil
}

// recordOwed records messages that were due and have not come back yet, with
// their time so far. Without them, a stall of the server or the generator that
// outlasts the Run would not show.
func (g *Generator) recordOwed() {
	for i := range g.conns {
		for k := g.conns[i].whole; g.due(i, k) <= g.now; k++ {
			g.latency.Record(time.Duration(g.now - g.due(i, k)))
		}
	}
}
