package flight

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/chrome"
)

// tape makes records, each a millisecond after the one before.
type tape struct {
	records []Record
	now     int64
}

func (p *tape) put(k Kind, id, detail uint32) {
	p.records = append(p.records, Record{uint64(p.now)<<8 | uint64(k), Two(id, detail)})
}

func (p *tape) step(k Kind, id, detail uint32) {
	p.put(k, id, detail)
	p.now += int64(time.Millisecond)
}

func (p *tape) turn(k Kind, took time.Duration, ready int) {
	p.records = append(p.records, Record{uint64(p.now)<<8 | uint64(k), TurnOf(int64(took), ready)})
	p.now += int64(took)
}

func (p *tape) recording() *Recording {
	return &Recording{Loop: 1, Name: "main.main", Records: p.records, Start: time.Unix(0, 0), Rate: 1, End: p.now,
		Waits: []string{"an event"}, Functions: []string{"", "main.work"}, Tasks: map[uint32]string{1: "boss"}}
}

func TestChromeTrace(t *testing.T) {
	var p tape
	p.turn(Turn, 0, 1)
	p.put(Made, 2, 1)
	p.step(FirstNamed, 1, 0) // task 1 makes task 2, and waits for an event
	p.turn(Turn, time.Millisecond, 1)
	p.step(ForRead, 2, 7)
	p.turn(Slept, 5*time.Millisecond, 1) // the kernel says that 7 is readable
	p.put(Woken, 1, uint32(ByEvent))
	p.put(Ended, 2, uint32(Failed))
	p.step(Over, 2, 0)
	p.step(Yields, 1, 0)
	p.put(Readied, 9, 1)
	p.put(Posted, 0, 3)
	p.turn(Turn, time.Millisecond, 2)
	p.step(Calls, 0, 0)
	p.put(Serves, 5, 9)
	p.step(ForTask, 5, 1)
	p.step(Runs, 1, 0)
	var out bytes.Buffer
	if err := WriteChrome(&out, p.recording()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0 X the loop: asks the kernel for 0",
		"0 C the loop: ready 1",
		"0 s task 1 (boss): new",
		"0 X task 1 (boss): runs for 1, then waits for an event",
		"0 X task 2 (main.work): is ready for 2",
		"1 X the loop: asks the kernel for 1",
		"1 X task 1 (boss): waits for an event for 7",
		"2 C the loop: ready 1",
		"2 f task 2 (main.work): new",
		"2 X task 2 (main.work): runs for 1, then waits for read of fd 7",
		"3 X the loop: sleeps for 5",
		"3 X task 2 (main.work): waits for read of fd 7 for 5",
		"8 C the loop: ready 1",
		"8 s the loop: done",
		"8 X task 2 (main.work): is ready for 0",
		"8 f task 2 (main.work): done",
		"8 s task 2 (main.work): done",
		"8 X task 2 (main.work): runs for 1, then ends with an error",
		"8 X task 1 (boss): is ready for 1",
		"9 f task 1 (boss): done",
		"9 X task 1 (boss): runs for 1, then lets others run",
		"10 i the loop: fd 9 is readable",
		"10 i the loop: calls from other goroutines",
		"10 X the loop: asks the kernel for 1",
		"10 X task 1 (boss): is ready for 3",
		"11 C the loop: ready 2",
		"11 X the loop: a callback for 1",
		"12 X connection of fd 9: runs for 1, then waits for task 1 (boss)",
		"13 X task 1 (boss): runs for 1, then it has not ended",
		"13 X connection of fd 9: waits for task 1 (boss) for 1",
	}
	got := chrome.Summary(chrome.Read(t, out.Bytes()))
	slices.SortStableFunc(want, func(a, b string) int {
		var at, bt float64
		fmt.Sscan(a, &at)
		fmt.Sscan(b, &bt)
		return cmp.Or(cmp.Compare(at, bt), cmp.Compare(a, b))
	})
	testkit.SameLines(t, got, want)
}

// Whatever the records are, and whatever the names, the format is kept.
func FuzzChrome(f *testing.F) {
	f.Add([]byte{}, "name")
	f.Add([]byte("\x10\x00\x00\x00\x01\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00"), "\x00\xff\"</script>\u2028")
	f.Fuzz(func(t *testing.T, tape []byte, name string) {
		r := &Recording{Loop: 3, Name: name, Start: time.Unix(1, 0), Rate: 0.3, End: 1 << 40,
			Waits: []string{name}, Functions: []string{name}, Tasks: map[uint32]string{0: name, 7: name}}
		for ; len(tape) >= 16; tape = tape[16:] {
			r.Records = append(r.Records, Record{binary.LittleEndian.Uint64(tape), binary.LittleEndian.Uint64(tape[8:])})
		}
		var out bytes.Buffer
		if err := WriteChrome(&out, r); err != nil {
			t.Fatal(err)
		}
		chrome.Read(t, out.Bytes())
	})
}

func TestLastSeconds(t *testing.T) {
	var p tape
	for range 10 {
		p.step(Yields, 1, 0)
	}
	r := p.recording()
	r.Last(3500 * time.Microsecond)
	if len(r.Records) != 3 {
		t.Errorf("%d records of the last 3.5 ms, one a millisecond", len(r.Records))
	}
	r.Last(0)
	if len(r.Records) != 1 {
		t.Errorf("%d records are left of no time: the last one is what is under way", len(r.Records))
	}
}
