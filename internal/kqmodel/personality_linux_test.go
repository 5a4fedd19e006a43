package kqmodel

import (
	"os/exec"
	"reflect"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Each entry of a system's table has a source.
func TestPersonalitiesSayHowTheyAreKnown(t *testing.T) {
	source := regexp.MustCompile(`^(observed|read|believed): \w`)
	for _, p := range systems {
		table := reflect.ValueOf(p).Elem()
		facts := 0
		for i := range table.NumField() {
			if field := table.Field(i); field.Kind() == reflect.Struct {
				facts++
				if by := field.FieldByName("by").String(); !source.MatchString(by) {
					t.Errorf("%s: %s is known by %q", p.name, table.Type().Field(i).Name, by)
				}
			}
		}
		if facts < 10 {
			t.Errorf("%s has %d facts", p.name, facts)
		}
	}
}

func TestChoose(t *testing.T) {
	for value, name := range map[string]string{"": "strict", "strict": "strict", "openbsd": "openbsd", "restless:7": "restless:7"} {
		if p := choose(value); p.name != name || p.restless != (value == "restless:7") {
			t.Errorf("%q chooses %+v", value, p)
		}
	}
	for _, value := range []string{"plan9", "restless", "restless:x"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken", value)
				}
			}()
			choose(value)
		}()
	}
}

// A sleep in ticks ends at a tick, and is never early; the present tick does
// not count. NetBSD slept 20 ms for a nanosecond, and 40 ms for 30 ms.
func TestTicks(t *testing.T) {
	for _, tt := range []struct{ d, now, want time.Duration }{
		{0, 0, 0},
		{1, 0, 20 * time.Millisecond},
		{30 * time.Millisecond, 0, 40 * time.Millisecond},
		{30 * time.Millisecond, 1009 * time.Millisecond, 31 * time.Millisecond},
		{10*time.Millisecond + 1, 0, 30 * time.Millisecond},
	} {
		if got := netbsd.sleep(tt.d, tt.now); got != tt.want || got < tt.d {
			t.Errorf("at %v, a sleep of %v takes %v, want %v", tt.now, tt.d, got, tt.want)
		}
		if got := darwin.sleep(tt.d, tt.now); got != tt.d {
			t.Errorf("without ticks, a sleep of %v takes %v", tt.d, got)
		}
	}
}

// A process that has ended is refused, or reported at once.
func TestZombie(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait()
	for { // until it has ended
		fd, errno := openProcess(&strict, cmd.Process.Pid)
		if errno != 0 {
			break
		}
		unix.Close(fd)
		time.Sleep(time.Millisecond)
	}
	for _, p := range systems {
		kq := newQueueOf(t, p)
		change := ev(cmd.Process.Pid, EVFILT_PROC, EV_ADD|EV_ONESHOT)
		change.Fflags = NOTE_EXIT
		err := submitOnce(kq, change)
		if want := p.zombie.is; want != 0 && err != want || want == 0 && err != nil {
			t.Errorf("%s: %v, want %v", p.name, err, p.zombie.is)
		}
		if p.zombie.is == 0 {
			one(t, kq, EVFILT_PROC)
		}
		quiet(t, kq)
	}
}

// A restless kqueue repeats only events that hold; the same seed repeats the
// same ones.
func TestRestless(t *testing.T) {
	repeats := func() (n int) {
		kq := newQueueOf(t, choose("restless:3"))
		lookup(kq).random = newRandom(lookup(kq).is, 1)
		a, b := pair(t)
		add(t, kq, a, EV_CLEAR, EVFILT_READ, EVFILT_WRITE)
		add(t, kq, b, EV_CLEAR, EVFILT_READ)
		for range 100 {
			for _, e := range ready(t, kq) {
				n++
				if e.Filter != EVFILT_WRITE {
					t.Errorf("there is nothing to read, yet %+v", e)
				}
			}
		}
		return n
	}
	first, second := repeats(), repeats()
	if first < 20 || first != second {
		t.Errorf("%d and %d reports", first, second)
	}
}
