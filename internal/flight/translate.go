package flight

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A translator makes events of a recording. Records that make no sense, because they
// were half written, or because what came before them is lost, make few events, or odd
// ones, and never break the format.
type translator struct {
	r      *Recording
	offset int64 // of the recording's start, in nanoseconds
	out    *chromeWriter
	pid    int

	events   []event
	tracks   map[track]*state
	served   map[uint32]uint32 // the connections that tasks serve
	now      int64
	answered int64 // when the kernel last did
	open     open
}

// A track is a thread of the format.
type track struct {
	conns bool // of the loop's second process
	id    uint32
}

// loopTrack is the loop's own. Tasks are numbered from 1.
var loopTrack = track{}

// A state is what is known of a task or connection.
type state struct {
	name   string // of its function
	began  int64  // of its waiting
	wait   string // what for; "" if it does not wait
	kernel bool   // the wait is for a descriptor
	woken  int64
	cause  string // why it is ready; "" if it is not known to be
	waker  track
}

// An open is the step or turn that has begun last.
type open struct {
	record Record
	began  int64
	track  track
	any    bool
	over   string // how its task ended
}

// all makes the events of all records.
func (t *translator) all() {
	t.served = make(map[uint32]uint32)
	for begin, i := 0, 0; i < len(t.r.Records); i++ {
		if !t.r.Records[i].ends() {
			continue
		}
		t.group(t.r.Records[begin:i], t.r.Records[i])
		begin = i + 1
	}
	t.now = max(t.now, t.time(t.r.End))
	t.close()
	for _, k := range t.sorted() {
		switch s := t.tracks[k]; {
		case k == t.open.track:
		case s.cause != "":
			t.slice(k, "is ready", s.woken, arg{"since", "it is " + s.cause})
		case s.wait != "":
			t.slice(k, "waits for "+s.wait, s.began)
		}
	}
}

// time converts ticks to nanoseconds.
func (t *translator) time(ticks int64) int64 {
	return t.offset + int64(float64(ticks)*t.r.Rate)
}

// group makes the events of a step or turn, and of what happened in it.
func (t *translator) group(inside []Record, r Record) {
	for _, x := range inside {
		if x.Kind() == Serves {
			t.served[x.ID()] = x.Detail()
		}
	}
	t.now = max(t.now, t.time(r.Ticks()))
	t.close()
	switch r.Kind() {
	case Asks, Turn, Slept, Calls:
		t.begin(r, loopTrack)
	case Served:
		t.begin(r, track{true, r.ID()})
	default:
		t.begin(r, t.trackOf(r.ID()))
	}
	for _, x := range inside {
		t.now = max(t.now, t.time(x.Ticks()))
		t.record(x)
	}
}

// record makes the events of what happened in a step or turn.
func (t *translator) record(r Record) {
	switch r.Kind() {
	case Woken:
		k := t.trackOf(r.ID())
		t.state(k)
		t.wake(k, Cause(r.Detail()).String())
	case Readied:
		t.add(event{name: "fd " + decimal(r.ID()) + " is " + readiness(r.Detail()), phase: 'i', at: t.now})
		t.wake(track{true, r.ID()}, "readable")
	case Posted:
		t.add(event{name: "calls from other goroutines", phase: 'i', at: t.now, args: []arg{{"calls", decimal(r.Detail())}}})
	case Made:
		k := track{id: r.ID()}
		s := t.state(k)
		t.wake(k, "new")
		if i := int(r.Detail()); i < len(t.r.Functions) {
			s.name = t.r.Functions[i]
		}
	case Ended:
		t.open.over = Outcome(r.Detail()).String()
	}
}

// wake notes that what runs woke a task, or a connection that was served before.
func (t *translator) wake(k track, cause string) {
	if s := t.tracks[k]; s != nil && s.cause == "" && k != t.open.track {
		t.ready(s, cause, t.open.track)
	}
}

// ready notes that something woke a task.
func (t *translator) ready(s *state, cause string, waker track) {
	s.cause, s.woken, s.waker = cause, t.now, waker
}

// begin begins a step or turn.
func (t *translator) begin(r Record, k track) {
	t.open = open{record: r, began: t.now, track: k, any: true}
	if k == loopTrack {
		return
	}
	s := t.state(k)
	if s.kernel && s.cause == "" {
		s.cause, s.woken, s.waker = ByEvent.String(), max(s.began, t.answered), loopTrack
	}
	if s.cause != "" {
		if s.wait != "" {
			t.sliceTo(k, "waits for "+s.wait, s.began, s.woken)
		}
		t.sliceTo(k, "is ready", s.woken, t.now, arg{"since", "it is " + s.cause})
		t.flow(s, k)
	}
	s.cause, s.wait, s.kernel = "", "", false
}

// flow draws the arrow from what woke a task to where it runs.
func (t *translator) flow(s *state, k track) {
	if s.waker == k {
		return
	}
	t.out.flows++
	n := t.out.flows
	from, to := t.on(s.waker), t.on(k)
	from.name, from.phase, from.at, from.flow = s.cause, 's', s.woken, n
	to.name, to.phase, to.at, to.flow = s.cause, 'f', t.now, n
	t.events = append(t.events, from, to)
}

// close ends the step or turn that has begun last.
func (t *translator) close() {
	if !t.open.any {
		return
	}
	o := t.open
	t.open.any = false
	switch k := o.record.Kind(); k {
	case Asks:
		t.slice(o.track, "asks the kernel", o.began)
	case Turn, Slept:
		took, long, ready := o.record.Turn()
		end := min(t.now, o.began+int64(float64(took)*t.r.Rate))
		if long {
			end = t.now
		}
		name := "asks the kernel"
		if k == Slept {
			name = "sleeps"
		}
		t.sliceTo(o.track, name, o.began, end)
		t.answered = end
		t.add(event{name: "ready", phase: 'C', at: end, args: []arg{{"ready", strconv.Itoa(ready)}}})
	case Calls:
		t.slice(o.track, "a callback", o.began)
	default:
		t.step(o)
	}
}

// step makes the slice of a step of a task.
func (t *translator) step(o open) {
	then := ""
	switch k := o.record.Kind(); {
	case k == Runs && o.over == "":
		then = "it has not ended"
	case o.over != "":
		then = "ends with " + o.over
	case k == Yields:
		then = "lets others run"
	case k == Served:
		then = "has no more to read"
	case k >= FirstWait:
		s := t.state(o.track)
		s.wait, s.began = t.waits(k, o.record.Detail()), t.now
		s.kernel = k == ForRead || k == ForWrite
		then = "waits for " + s.wait
	}
	if then == "lets others run" {
		t.ready(t.state(o.track), "ready again", o.track)
	}
	t.slice(o.track, "runs", o.began, arg{"then", then})
}

// waits returns what a task waits for.
func (t *translator) waits(k Kind, detail uint32) string {
	switch k {
	case ForRead:
		return "read of fd " + decimal(detail)
	case ForWrite:
		return "write to fd " + decimal(detail)
	case ForTurn:
		return "other tasks' writes to fd " + decimal(detail)
	case ForTask:
		return t.task(detail)
	}
	if i := int(k) - int(FirstNamed); i >= 0 && i < len(t.r.Waits) {
		return t.r.Waits[i]
	}
	return "something"
}

// task returns a task's name: the one that it was given, or its function's.
func (t *translator) task(id uint32) string {
	called := t.r.Tasks[id]
	if s := t.tracks[track{id: id}]; called == "" && s != nil {
		called = s.name
	}
	if called == "" {
		return "task " + decimal(id)
	}
	return "task " + decimal(id) + " (" + called + ")"
}

// trackOf returns the track of a task.
func (t *translator) trackOf(id uint32) track {
	if fd, ok := t.served[id]; ok {
		return track{true, fd}
	}
	return track{id: id}
}

func (t *translator) state(k track) *state {
	s := t.tracks[k]
	if s == nil {
		s = new(state)
		t.tracks[k] = s
	}
	return s
}

// sorted returns the tracks in order.
func (t *translator) sorted() []track {
	return slices.SortedFunc(maps.Keys(t.tracks), func(a, b track) int {
		switch {
		case b.conns && !a.conns:
			return -1
		case a.conns && !b.conns:
			return 1
		}
		return cmp.Compare(a.id, b.id)
	})
}

// on returns an event on a track.
func (t *translator) on(k track) event {
	e := event{pid: t.pid, tid: int(k.id)}
	if k.conns {
		e.pid++
	}
	return e
}

// add adds an event on the loop's track.
func (t *translator) add(e event) {
	e.pid = t.pid
	t.events = append(t.events, e)
}

// slice adds a slice from a time until now.
func (t *translator) slice(k track, name string, from int64, args ...arg) {
	t.sliceTo(k, name, from, t.now, args...)
}

func (t *translator) sliceTo(k track, name string, from, to int64, args ...arg) {
	e := t.on(k)
	e.name, e.phase, e.at, e.took, e.args = name, 'X', from, max(0, to-from), args
	t.events = append(t.events, e)
}

// metadata names processes and threads.
func (t *translator) metadata() {
	var all []event
	name := func(what string, pid, tid int, text string) {
		all = append(all, event{name: what, phase: 'M', pid: pid, tid: tid, args: []arg{{"name", text}}})
	}
	loop := fmt.Sprintf("loop %d (%s)", t.r.Loop, t.r.Name)
	name("process_name", t.pid, 0, loop)
	name("thread_name", t.pid, 0, "the loop")
	conns := false
	for _, k := range t.sorted() {
		switch {
		case k == loopTrack:
		case k.conns:
			conns = true
			name("thread_name", t.pid+1, int(k.id), "connection of fd "+decimal(k.id))
		default:
			name("thread_name", t.pid, int(k.id), t.task(k.id))
		}
	}
	if conns {
		name("process_name", t.pid+1, 0, loop+": connections without tasks")
	}
	t.events = append(all, t.events...)
}

// readiness describes what the kernel reports of a descriptor.
func readiness(bits uint32) string {
	var all []string
	for i, name := range [...]string{"readable", "writable", "closed by the peer", "hung up", "failed", "urgent"} {
		if bits>>i&1 != 0 {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}
