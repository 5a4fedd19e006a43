package timerwheel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// model is a reference implementation: a slice sorted by (effective deadline,
// order of insertion).
type model struct {
	cur, now int64
	pending  []entry
}

type entry struct {
	when int64 // effective
	id   int
}

func (m *model) add(id int, when int64) {
	when = max(when, m.cur)
	at := len(m.pending)
	for at > 0 && m.pending[at-1].when > when {
		at--
	}
	m.pending = slices.Insert(m.pending, at, entry{when, id})
}

func (m *model) cancel(id int) bool {
	n := len(m.pending)
	m.pending = slices.DeleteFunc(m.pending, func(e entry) bool { return e.id == id })
	return len(m.pending) < n
}

func (m *model) active(id int) bool {
	return slices.ContainsFunc(m.pending, func(e entry) bool { return e.id == id })
}

// pop returns -1 for no timer.
func (m *model) pop(now int64) int {
	m.now = max(m.now, now)
	if len(m.pending) == 0 || m.pending[0].when > m.now {
		m.cur = m.now
		return -1
	}
	e := m.pending[0]
	m.pending = m.pending[1:]
	m.cur = e.when
	return e.id
}

// starts are times at which a wheel begins: around carries between digits, and
// at the end of time.
var starts = []int64{
	0, 1, 62, 63, 64, 65, 4095, 4096, 1<<36 - 65, 1<<36 - 1, 1 << 36, 1<<36 + 63,
	1<<42 - 4097, 1<<42 - 1, 1 << 42, 1<<42 + 1, 1<<60 - 1, 1 << 60, 7<<60 - 1,
	math.MaxInt64 - 1<<36, math.MaxInt64 - 4096, math.MaxInt64 - 64, math.MaxInt64 - 1, math.MaxInt64,
}

// timersInTrial is enough to crowd more than maxScan into a slot.
const timersInTrial = 64

// A trial applies the operations that a byte string encodes to a wheel and to
// its model, and compares them.
type trial struct {
	script []byte
	wheel  Wheel[int]
	model  model
	timers [timersInTrial]Timer[int]
	whens  [timersInTrial]int64
	log    string // the latest operation
}

// try runs a script to its end. An error names the step that failed.
func try(script []byte) error {
	r := &trial{script: script}
	for i := range r.timers {
		r.timers[i].Value = i
	}
	if _, err := r.pop(starts[int(r.byte())%len(starts)]); err != nil {
		return err
	}
	for step := 0; len(r.script) > 0; step++ {
		err := r.step()
		if err == nil {
			err = r.compare()
		}
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", step, r.log, err)
		}
	}
	return nil
}

// byte returns the script's next byte, 0 after its end.
func (r *trial) byte() byte {
	if len(r.script) == 0 {
		return 0
	}
	b := r.script[0]
	r.script = r.script[1:]
	return b
}

// delta reads a distance in time: around a power of 64, small, or anything.
func (r *trial) delta() int64 {
	switch b := r.byte(); {
	case b < 110:
		level, offset := b/10, int64(b%10)-4
		return max(0, int64(1)<<(digitBits*level)+offset)
	case b < 180:
		return int64(b - 110)
	case b < 220:
		return int64(b-179) * 1000
	default:
		var bits [8]byte
		n := copy(bits[:b%8+1], r.script)
		r.script = r.script[n:]
		return int64(binary.LittleEndian.Uint64(bits[:]) &^ (1 << 63))
	}
}

// after returns t+d, or the end of time.
func after(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

// deadline reads a deadline: mostly ahead of the wheel's time or of the clock,
// at times behind, negative, or that of another timer.
func (r *trial) deadline() int64 {
	switch b := r.byte() % 16; {
	case b < 6:
		return after(r.model.cur, r.delta())
	case b < 10:
		return after(r.model.now, r.delta())
	case b < 13:
		return r.whens[r.byte()%timersInTrial]
	case b == 13:
		return r.model.now - r.delta()
	case b == 14:
		return -r.delta()
	default:
		return math.MaxInt64
	}
}

func (r *trial) step() error {
	switch op := r.byte() % 16; {
	case op < 5:
		return r.addOrCancel(int(r.byte()) % timersInTrial)
	case op < 8:
		return r.reset(int(r.byte())%timersInTrial, r.deadline())
	case op == 8:
		return r.crowd(int(r.byte())%timersInTrial, r.deadline())
	case op < 11:
		return r.pops(after(r.model.now, r.delta()), 1+int(r.byte()%4))
	case op == 11:
		return r.pops(r.model.now-r.delta(), 1)
	case op == 12:
		return r.pops(after(r.model.now, r.delta()), math.MaxInt)
	default:
		return r.toNext(int64(op)-14, 1+int(r.byte()%4))
	}
}

// addOrCancel cancels timer id if it is active, sometimes twice, or else adds
// it.
func (r *trial) addOrCancel(id int) error {
	t := &r.timers[id]
	if r.model.active(id) {
		r.log = fmt.Sprintf("Cancel(%d)", id)
		r.model.cancel(id)
		if !r.wheel.Cancel(t) || t.Active() || r.wheel.Cancel(t) {
			return fmt.Errorf("not true exactly once")
		}
		return nil
	}
	if r.wheel.Cancel(t) {
		return fmt.Errorf("Cancel of inactive timer %d is true", id)
	}
	when := r.deadline()
	r.log = fmt.Sprintf("Add(%d, %d)", id, when)
	r.wheel.Add(t, when)
	r.model.add(id, when)
	r.whens[id] = when
	return nil
}

func (r *trial) reset(id int, when int64) error {
	r.log = fmt.Sprintf("Reset(%d, %d)", id, when)
	want := r.model.cancel(id)
	r.model.add(id, when)
	r.whens[id] = when
	if got := r.wheel.Reset(&r.timers[id], when); got != want {
		return fmt.Errorf("reports active %v, want %v", got, want)
	}
	return nil
}

// crowd resets a run of timers to deadlines close to when.
func (r *trial) crowd(id int, when int64) error {
	for range 24 {
		id = (id + 1) % timersInTrial
		if err := r.reset(id, after(max(0, when), int64(id*7%13)*40)); err != nil {
			return err
		}
	}
	return nil
}

// pops calls Pop(now) until it returns nil, at most budget times.
func (r *trial) pops(now int64, budget int) error {
	for range budget {
		if fired, err := r.pop(now); err != nil || !fired {
			return err
		}
	}
	return nil
}

func (r *trial) pop(now int64) (fired bool, err error) {
	r.log = fmt.Sprintf("Pop(%d)", now)
	want, got := r.model.pop(now), -1
	if t := r.wheel.Pop(now); t != nil {
		got = t.Value
		if t.Active() {
			return false, fmt.Errorf("timer %d is active after firing", got)
		}
	}
	if got != want {
		return false, fmt.Errorf("fired timer %d, want %d", got, want)
	}
	return got >= 0, r.wheel.check()
}

// toNext pops at the time that Next returns, or one tick beside it.
func (r *trial) toNext(beside int64, budget int) error {
	when, ok, err := r.next()
	if err != nil || !ok {
		return err
	}
	return r.pops(after(when-1, beside+1), budget)
}

// next compares Next with the model. It is not called at every step, because
// then the wheel would always have its hint.
func (r *trial) next() (when int64, ok bool, err error) {
	r.log = "Next()"
	when, ok = r.wheel.Next()
	if ok != (len(r.model.pending) > 0) {
		return 0, false, fmt.Errorf("ok is %v with %d timers", ok, len(r.model.pending))
	}
	if !ok {
		return 0, false, nil
	}
	first := r.model.pending[0].when
	if when > first || when < r.model.cur {
		return 0, false, fmt.Errorf("%d is not within the wheel's time %d and the first deadline %d", when, r.model.cur, first)
	}
	if when < first && r.inFirstSlot() <= maxScan {
		return 0, false, fmt.Errorf("%d is not exact, the first deadline is %d", when, first)
	}
	return when, true, nil
}

func (r *trial) inFirstSlot() (n int) {
	s := r.wheel.lists.first()
	for i := range r.timers {
		if r.timers[i].Active() && r.timers[i].slot == s {
			n++
		}
	}
	return n
}

// compare verifies the visible state and the invariants after an operation.
func (r *trial) compare() error {
	if got, want := r.wheel.Len(), len(r.model.pending); got != want {
		return fmt.Errorf("Len() = %d, want %d", got, want)
	}
	if r.wheel.cur != r.model.cur {
		return fmt.Errorf("time is %d, want %d", r.wheel.cur, r.model.cur)
	}
	for i := range r.timers {
		t := &r.timers[i]
		if t.Value != i || t.When() != r.whens[i] || t.Active() != r.model.active(i) {
			return fmt.Errorf("timer %d: Value %d, When %d, Active %v; want When %d, Active %v",
				i, t.Value, t.When(), t.Active(), r.whens[i], r.model.active(i))
		}
	}
	return r.wheel.check()
}

func FuzzWheel(f *testing.F) {
	for i := range len(starts) {
		f.Add(randomScript(uint64(i), 256))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if err := try(script); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAgainstModel runs random scripts for a while, different ones each time.
func TestAgainstModel(t *testing.T) {
	seed := rand.Uint64()
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); seed++ {
		if err := try(randomScript(seed, 2000)); err != nil {
			t.Fatalf("try(randomScript(%d, 2000)): %v", seed, err)
		}
	}
}

// randomScript returns a script that seed determines. Its first byte cycles
// through the starts with the seed.
func randomScript(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	script := make([]byte, n)
	for i := range script {
		script[i] = byte(rng.Uint32())
	}
	script[0] = byte(seed % uint64(len(starts)))
	return script
}
