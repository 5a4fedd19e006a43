package timerwheel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

type wheel = Wheel[string]
type timer = Timer[string]

func checked(t *testing.T, w *wheel) {
	t.Helper()
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}

// fires verifies that Pop(now) returns the timers of these names, then nil.
func fires(t *testing.T, w *wheel, now int64, want ...string) {
	t.Helper()
	var got []string
	for {
		timer := w.Pop(now)
		checked(t, w)
		if timer == nil {
			break
		}
		got = append(got, timer.Value)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("at %d fired %q, want %q", now, got, want)
	}
}

func nextIs(t *testing.T, w *wheel, want int64) {
	t.Helper()
	if got, ok := w.Next(); !ok || got != want {
		t.Fatalf("Next() = %d, %v, want %d", got, ok, want)
	}
	checked(t, w)
}

// add adds a new timer.
func add(w *wheel, name string, when int64) *timer {
	t := &timer{Value: name}
	w.Add(t, when)
	return t
}

func TestZeroWheel(t *testing.T) {
	var w wheel
	checked(t, &w)
	if when, ok := w.Next(); ok || w.Len() != 0 {
		t.Fatalf("Next() = %d, %v, Len() = %d", when, ok, w.Len())
	}
	fires(t, &w, 0)
	add(&w, "zero", 0)
	nextIs(t, &w, 0)
	fires(t, &w, 0, "zero")
}

func TestZeroTimer(t *testing.T) {
	var w wheel
	var z timer
	if z.Active() || z.When() != 0 || w.Cancel(&z) {
		t.Fatal("the zero Timer is active")
	}
	if w.Reset(&z, 5) || !z.Active() || z.When() != 5 {
		t.Fatalf("after Reset: Active() = %v, When() = %d", z.Active(), z.When())
	}
}

func TestAddOfActivePanics(t *testing.T) {
	var w, other wheel
	twice := add(&w, "twice", 5)
	for _, w := range []*wheel{&w, &other} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("Add of an active timer did not panic")
				}
			}()
			w.Add(twice, 6)
		}()
	}
	if twice.When() != 5 {
		t.Errorf("When() = %d after the panic, want 5", twice.When())
	}
	fires(t, &w, 10, "twice")
	other.Add(twice, 11)
	fires(t, &other, 11, "twice")
}

func TestEqualDeadlinesFireInOrderOfInsertion(t *testing.T) {
	const when = 1<<40 + 12345
	var w wheel
	a, _ := add(&w, "a", when), add(&w, "b", when)
	fires(t, &w, when-70_000) // a and b have moved down when c comes in
	add(&w, "c", when)
	fires(t, &w, when-1)
	add(&w, "d", when)
	w.Reset(a, when)
	fires(t, &w, when, "b", "c", "d", "a")
}

func TestPastDeadlines(t *testing.T) {
	var w wheel
	fires(t, &w, 1000)
	add(&w, "due", 1000)
	late := add(&w, "late", 10)
	add(&w, "later", -5)
	add(&w, "least", math.MinInt64)
	if late.When() != 10 {
		t.Errorf("When() = %d, want the given 10", late.When())
	}
	nextIs(t, &w, 1000)
	fires(t, &w, 1000, "due", "late", "later", "least")
}

// While overdue timers are left, the wheel's time is that of the last one
// fired: a new timer with an earlier deadline goes behind those due at that
// time, one with a later deadline is in order.
func TestAddBetweenPops(t *testing.T) {
	var w wheel
	for _, when := range []int64{100, 200, 200, 300} {
		add(&w, fmt.Sprint(when), when)
	}
	for _, want := range []string{"100", "200"} {
		if got := w.Pop(1000); got == nil || got.Value != want {
			t.Fatalf("Pop = %v, want %s", got, want)
		}
	}
	add(&w, "behind", 150)
	add(&w, "ahead", 250)
	add(&w, "future", 1001)
	nextIs(t, &w, 200)
	fires(t, &w, 1000, "200", "behind", "ahead", "300")
	nextIs(t, &w, 1001)
}

func TestTimeDoesNotGoBack(t *testing.T) {
	var w wheel
	add(&w, "a", 50)
	add(&w, "b", 80)
	if got := w.Pop(100); got == nil || got.Value != "a" {
		t.Fatalf("Pop = %v, want a", got)
	}
	fires(t, &w, 60, "b")
	add(&w, "c", 99)
	fires(t, &w, math.MinInt64, "c")
}

func TestEndOfTime(t *testing.T) {
	var w wheel
	add(&w, "never", math.MaxInt64)
	nextIs(t, &w, math.MaxInt64)
	fires(t, &w, math.MaxInt64-1)
	add(&w, "last", math.MaxInt64)
	fires(t, &w, math.MaxInt64, "never", "last")
	add(&w, "after", math.MaxInt64)
	nextIs(t, &w, math.MaxInt64)
	fires(t, &w, math.MaxInt64, "after")
}

// Off-by-one errors: timers that never expire, or long ones that fire early.
func TestNeverEarlyNeverLost(t *testing.T) {
	for _, start := range starts {
		for level := range levels {
			for _, off := range []int64{-1, 0, 1} {
				d := int64(1)<<(digitBits*level) + off
				if d < 1 || start > math.MaxInt64-d {
					continue
				}
				var w wheel
				fires(t, &w, start)
				add(&w, "t", start+d)
				nextIs(t, &w, start+d)
				fires(t, &w, start+d/2)
				fires(t, &w, start+d-1)
				nextIs(t, &w, start+d)
				fires(t, &w, start+d, "t")
			}
		}
	}
}

// In each state of a timer, Cancel and Reset report it and have their effect.
func TestCancelAndResetInEveryState(t *testing.T) {
	const now = 1 << 36
	states := []struct {
		name   string
		bring  func(w *wheel, t *timer)
		active bool
	}{
		{"zero", func(w *wheel, t *timer) {}, false},
		{"alone in its slot", func(w *wheel, t *timer) { w.Add(t, now+64) }, true},
		{"head", func(w *wheel, t *timer) { w.Add(t, now+70); add(w, "x", now+71) }, true},
		{"tail", func(w *wheel, t *timer) { add(w, "x", now+71); w.Add(t, now+70) }, true},
		{"middle", func(w *wheel, t *timer) { add(w, "x", now+71); w.Add(t, now+70); add(w, "y", now+72) }, true},
		{"named by Next", func(w *wheel, t *timer) { w.Add(t, now+5); w.Next() }, true},
		{"spread", func(w *wheel, t *timer) { add(w, "x", now+4096); w.Add(t, now+4100); w.Pop(now + 4096) }, true},
		{"due", func(w *wheel, t *timer) { w.Add(t, now) }, true},
		{"past", func(w *wheel, t *timer) { w.Add(t, 1) }, true},
		{"due, with another fired", func(w *wheel, t *timer) { add(w, "x", now+9); w.Add(t, now+9); w.Pop(now + 9) }, true},
		{"overdue", func(w *wheel, t *timer) { add(w, "x", now+9); w.Add(t, now+10); w.Pop(now + 5000) }, true},
		{"at the end of time", func(w *wheel, t *timer) { w.Add(t, math.MaxInt64) }, true},
		{"fired", func(w *wheel, t *timer) { w.Add(t, now+9); w.Pop(now + 9) }, false},
		{"cancelled", func(w *wheel, t *timer) { w.Add(t, now+9); w.Cancel(t) }, false},
	}
	for _, state := range states {
		t.Run(state.name, func(t *testing.T) {
			bring := func() (*wheel, *timer) {
				w, it := new(wheel), &timer{Value: "it"}
				fires(t, w, now)
				state.bring(w, it)
				checked(t, w)
				return w, it
			}
			w, it := bring()
			n := w.Len()
			if got := w.Cancel(it); got != state.active || w.Cancel(it) || it.Active() {
				t.Errorf("Cancel = %v, want %v, once", got, state.active)
			}
			checked(t, w)
			if state.active && w.Len() != n-1 {
				t.Errorf("Len() = %d after Cancel, was %d", w.Len(), n)
			}
			if when, ok := w.Next(); ok && w.Len() == 0 {
				t.Errorf("Next() = %d, true of an empty wheel", when)
			}
			for {
				fired := w.Pop(math.MaxInt64)
				if fired == it {
					t.Error("fired after Cancel")
				}
				if fired == nil {
					break
				}
			}

			w, it = bring()
			if got := w.Reset(it, now+1<<20); got != state.active || !it.Active() {
				t.Errorf("Reset = %v, want %v", got, state.active)
			}
			checked(t, w)
			for fired := w.Pop(now + 1<<20 - 1); fired != nil; fired = w.Pop(now + 1<<20 - 1) {
				if fired == it {
					t.Error("fired before the deadline that Reset gave")
				}
			}
			fires(t, w, now+1<<20, "it")
		})
	}
}

// tokio pull request 8334: after 12 days its top level wrapped, and timers hung.
// Here the top level's 8 slots last to the end of time.
func TestTopLevelDoesNotWrap(t *testing.T) {
	const day = int64(24 * 3600 * 1e9)
	var w wheel
	add(&w, "last", math.MaxInt64)
	var boundaries []int64
	for d := 10 * day; d < 30*day; d += day / 2 {
		boundaries = append(boundaries, d)
	}
	for digit := int64(1); digit < 8; digit++ {
		boundaries = append(boundaries, digit<<60)
	}
	for _, at := range boundaries {
		fires(t, &w, at-1000)
		add(&w, "across", at)
		add(&w, "short", at-999)
		add(&w, "beyond", at+1)
		fires(t, &w, at-1, "short")
		fires(t, &w, at, "across")
		fires(t, &w, at+1, "beyond")
	}
	fires(t, &w, math.MaxInt64, "last")
}

// tokio issue 2473: removal computed the level anew, at a time equal to the
// deadline, and panicked. Worst at the start of a slot.
func TestRemoveAtTheDeadline(t *testing.T) {
	for level := range levels {
		when := int64(1) << (digitBits * level)
		var w wheel
		add(&w, "a", when)
		b, c := add(&w, "b", when), add(&w, "c", when)
		if got := w.Pop(when); got == nil || got.Value != "a" {
			t.Fatalf("Pop(%d) = %v, want a", when, got)
		}
		if !w.Cancel(b) || !w.Reset(c, when+1) {
			t.Fatal("Cancel or Reset at the deadline reports an inactive timer")
		}
		checked(t, &w)
		fires(t, &w, when)
		fires(t, &w, when+1, "c")
	}
}

// tokio pull request 3270: an entry that had expired but was not taken yet kept
// its expired mark through a reset, and a second reset or removal failed.
func TestResetOfExpiredNotYetTaken(t *testing.T) {
	for _, when := range []int64{-1, 0, 4096, 5000} {
		var w wheel
		fires(t, &w, 4096)
		x := add(&w, "x", when)
		if when > 4096 { // expired, and behind another one
			add(&w, "first", 4999)
			if got := w.Pop(6000); got == nil || got.Value != "first" {
				t.Fatalf("Pop = %v, want first", got)
			}
		}
		for _, later := range []int64{10_000, 1 << 40, 7000} {
			if !w.Reset(x, later) {
				t.Fatal("Reset reports an inactive timer")
			}
			checked(t, &w)
		}
		fires(t, &w, 6999)
		if !w.Cancel(x) || w.Cancel(x) {
			t.Fatal("Cancel is not true exactly once")
		}
		checked(t, &w)
		fires(t, &w, math.MaxInt64)
	}
}

// tokio issues 849 and 8274: the next deadline did not follow a reset.
func TestNextFollowsEveryChange(t *testing.T) {
	var w wheel
	a, b := add(&w, "a", 1000), add(&w, "b", 2000)
	nextIs(t, &w, 1000)
	w.Reset(b, 500)
	nextIs(t, &w, 500)
	w.Reset(b, 3000)
	nextIs(t, &w, 1000)
	w.Cancel(a)
	nextIs(t, &w, 3000)
	fires(t, &w, 2000)
	w.Reset(b, 1)
	nextIs(t, &w, 2000)
	w.Cancel(b)
	if when, ok := w.Next(); ok {
		t.Fatalf("Next() = %d, true of an empty wheel", when)
	}
	add(&w, "c", 1<<50)
	nextIs(t, &w, 1<<50)
}

// A crowd in the first slot: Next is exact up to maxScan, and beyond it a lower
// bound that costs a single Pop.
func TestNextOfACrowd(t *testing.T) {
	const start, first = 1 << 36, 1<<36 + 1<<24 + 500
	var w wheel
	for i := range maxScan {
		add(&w, fmt.Sprint(i), first+int64(maxScan-1-i))
	}
	nextIs(t, &w, first)
	w.Cancel(add(&w, "gone", first))
	for range 100 {
		add(&w, "more", first+1<<10)
	}
	w.Cancel(add(&w, "gone", first))
	nextIs(t, &w, start)
	fires(t, &w, start)
	nextIs(t, &w, first) // although the crowd is still in one slot
	fires(t, &w, first, fmt.Sprint(maxScan-1))
}

func TestNothingAllocates(t *testing.T) {
	var w Wheel[int]
	timers := make([]Timer[int], 1000)
	now := int64(0)
	allocs := testing.AllocsPerRun(20, func() {
		for i := range timers {
			w.Add(&timers[i], now+int64(i*i*i))
		}
		for i := range timers {
			w.Reset(&timers[i], now+int64(i*i)*77)
		}
		for i := 0; i < len(timers); i += 3 {
			w.Cancel(&timers[i])
		}
		for w.Len() > 0 {
			when, _ := w.Next()
			now = max(now, when)
			for w.Pop(now) != nil {
			}
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
