package kqmodel

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A personality describes a system's kqueue where the systems differ.
type personality struct {
	name string

	// Pipes.
	pipeGone      fact[unix.Errno] // error of adding WRITE to a pipe without its other end; 0: it is added
	readOnWriter  fact[wrongEnd]   // READ for a pipe's writing end
	writeOnReader fact[wrongEnd]   // WRITE for a pipe's reading end
	fullPipeEnds  fact[bool]       // WRITE reports that the reader of a full pipe has closed

	// Results of changes.
	kqueueWrite fact[unix.Errno] // of adding WRITE to a kqueue
	zombie      fact[unix.Errno] // of adding PROC to a process that has ended; 0: its end is reported
	enableTells fact[bool]       // EV_ENABLE of a filter that is enabled makes it report again

	// Reports.
	eventFlags    fact[uint16] // flags of a change that appear in its filter's events
	inOrder       fact[bool]   // filters that are ready when added report in that order; else WRITE before READ
	readFirst     fact[bool]   // the end of both directions is reported by READ first
	readRepeats   fact[bool]   // READ reports again after a read from a pipe that left data, or an end
	acceptRepeats fact[bool]   // READ reports again after an accept that left connections
	ackRepeats    fact[bool]   // WRITE reports again when a TCP peer acknowledges data

	// Sleeping.
	tick    fact[time.Duration] // unit of a sleep; 0: a nanosecond
	longest fact[int64]         // longest timeout that is accepted, in seconds

	interrupts bool   // half of all calls that only submit changes fail with EINTR
	restless   bool   // reports are repeated at random
	seed       uint64 // of the restless personality
}

// A fact is an entry of the table, with its source: "observed" on a kernel,
// "read" in its sources (with their revision), or "believed".
type fact[T any] struct {
	is T
	by string
}

// A wrongEnd is the behavior of READ at a pipe's writing end, or of WRITE at
// its reading end.
type wrongEnd uint8

const (
	reportsEnd   wrongEnd = iota // reports that the other end is gone
	reportsRoom                  // reports at once, as if there were room, and again when the other end is gone
	reportsNever                 // never reports
	neutered                     // never reports, and can be added even when the other end is gone
)

const noLimit = math.MaxInt64

const (
	byNetBSD    = "observed: NetBSD 8.99, kern_event.c 1.103, sys_pipe.c 1.146, run in user space"
	byFreeBSD   = "read: FreeBSD 13.0, kern_event.c"
	byFreePipe  = "read: FreeBSD, sys_pipe.c at 004248ee6494"
	byOpenBSD   = "read: OpenBSD, kern_event.c 1.206"
	byOpenPipe  = "read: OpenBSD, sys_pipe.c at 029b91ee4a71"
	byDragonFly = "read: DragonFly, kern_event.c at e9b43d119393"
	byDragPipe  = "read: DragonFly, sys_pipe.c with two buffers a pipe"
	byDarwin    = "read: xnu-11417.101.15, kern_event.c"
	byXnuPipe   = "read: xnu-11417.101.15, sys_pipe.c"
	byXnuSocket = "read: xnu-11417.101.15, uipc_socket.c"
	byXnuTime   = "read: xnu-11417.101.15, kern_time.c"
	byAncestor  = "believed: of the systems' common ancestor"
	byChoice    = "chosen: the hardest for a user of kqueue"
)

// strict is no real system: where systems differ, or a manual leaves a choice,
// it does what is hardest for its user. It repeats nothing, so a missed report
// stays missed.
var strict = personality{
	name:          "strict",
	pipeGone:      fact[unix.Errno]{unix.EPIPE, byChoice},
	readOnWriter:  fact[wrongEnd]{reportsEnd, byChoice},
	writeOnReader: fact[wrongEnd]{reportsEnd, byChoice},
	fullPipeEnds:  fact[bool]{true, byChoice},
	kqueueWrite:   fact[unix.Errno]{unix.EINVAL, byChoice},
	zombie:        fact[unix.Errno]{unix.ESRCH, byChoice},
	enableTells:   fact[bool]{true, byChoice},
	eventFlags:    fact[uint16]{0, byChoice},
	inOrder:       fact[bool]{false, byChoice},
	readFirst:     fact[bool]{false, byChoice},
	readRepeats:   fact[bool]{false, byChoice},
	acceptRepeats: fact[bool]{false, byChoice},
	ackRepeats:    fact[bool]{false, byChoice},
	tick:          fact[time.Duration]{0, byChoice},
	longest:       fact[int64]{100_000_000, "believed: older Darwin, itimerfix"},
	interrupts:    true,
}

var netbsd = personality{
	name:          "netbsd",
	pipeGone:      fact[unix.Errno]{unix.EBADF, byNetBSD},
	readOnWriter:  fact[wrongEnd]{reportsEnd, byNetBSD},
	writeOnReader: fact[wrongEnd]{reportsNever, byNetBSD},
	fullPipeEnds:  fact[bool]{false, byNetBSD},
	kqueueWrite:   fact[unix.Errno]{unix.EPERM, byNetBSD},
	zombie:        fact[unix.Errno]{unix.ESRCH, "believed: NetBSD, filt_procattach"},
	enableTells:   fact[bool]{false, byNetBSD},
	eventFlags:    fact[uint16]{EV_ADD | EV_CLEAR, byNetBSD},
	inOrder:       fact[bool]{true, byNetBSD},
	readFirst:     fact[bool]{false, byNetBSD},
	readRepeats:   fact[bool]{true, byNetBSD},
	acceptRepeats: fact[bool]{true, byNetBSD},
	ackRepeats:    fact[bool]{true, byNetBSD},
	tick:          fact[time.Duration]{10 * time.Millisecond, byNetBSD},
	longest:       fact[int64]{noLimit, byNetBSD},
}

var freebsd = personality{
	name:          "freebsd",
	pipeGone:      fact[unix.Errno]{unix.EPIPE, byFreePipe},
	readOnWriter:  fact[wrongEnd]{neutered, byFreePipe},
	writeOnReader: fact[wrongEnd]{neutered, byFreePipe},
	fullPipeEnds:  fact[bool]{true, byFreePipe},
	kqueueWrite:   fact[unix.Errno]{unix.EINVAL, byFreeBSD},
	zombie:        fact[unix.Errno]{0, byFreeBSD},
	enableTells:   fact[bool]{true, byFreeBSD},
	eventFlags:    fact[uint16]{EV_CLEAR, byFreeBSD},
	inOrder:       fact[bool]{true, byAncestor},
	readFirst:     fact[bool]{true, "believed: FreeBSD 13.0, soisdisconnected"},
	readRepeats:   fact[bool]{true, "believed: FreeBSD, pipe_read"},
	acceptRepeats: fact[bool]{false, "believed: FreeBSD, uipc_socket.c"},
	ackRepeats:    fact[bool]{true, byAncestor},
	tick:          fact[time.Duration]{0, "believed: FreeBSD 13.0, kqueue_scan sleeps by sbintime"},
	longest:       fact[int64]{noLimit, "believed: FreeBSD 13.0, kqueue_scan"},
}

var openbsd = personality{
	name:          "openbsd",
	pipeGone:      fact[unix.Errno]{unix.EPIPE, byOpenPipe},
	readOnWriter:  fact[wrongEnd]{reportsEnd, byOpenPipe},
	writeOnReader: fact[wrongEnd]{reportsRoom, byOpenPipe},
	fullPipeEnds:  fact[bool]{false, byOpenPipe},
	kqueueWrite:   fact[unix.Errno]{unix.EINVAL, byOpenBSD},
	zombie:        fact[unix.Errno]{unix.ESRCH, "read: OpenBSD, kern_event.c 1.60"},
	enableTells:   fact[bool]{false, byOpenBSD},
	eventFlags:    fact[uint16]{EV_ADD | EV_CLEAR, byOpenBSD},
	inOrder:       fact[bool]{true, byOpenBSD},
	readFirst:     fact[bool]{false, byAncestor},
	readRepeats:   fact[bool]{true, "believed: OpenBSD, pipe_read"},
	acceptRepeats: fact[bool]{false, "believed: OpenBSD, uipc_socket.c"},
	ackRepeats:    fact[bool]{true, byAncestor},
	tick:          fact[time.Duration]{10 * time.Millisecond, "believed: OpenBSD, msleep_nsec rounds to ticks"},
	longest:       fact[int64]{noLimit, byOpenBSD},
}

var dragonfly = personality{
	name:          "dragonfly",
	pipeGone:      fact[unix.Errno]{unix.EPIPE, byDragPipe},
	readOnWriter:  fact[wrongEnd]{reportsEnd, byDragPipe},
	writeOnReader: fact[wrongEnd]{reportsRoom, byDragPipe},
	fullPipeEnds:  fact[bool]{true, byDragPipe},
	kqueueWrite:   fact[unix.Errno]{unix.EOPNOTSUPP, byDragonFly},
	zombie:        fact[unix.Errno]{0, byDragonFly},
	enableTells:   fact[bool]{false, byDragonFly},
	eventFlags:    fact[uint16]{EV_ADD | EV_CLEAR, byDragonFly},
	inOrder:       fact[bool]{true, byAncestor},
	readFirst:     fact[bool]{true, "believed: DragonFly, soisdisconnected"},
	readRepeats:   fact[bool]{false, "believed: DragonFly, pipe_read wakes writers"},
	acceptRepeats: fact[bool]{false, "believed: DragonFly, uipc_socket.c"},
	ackRepeats:    fact[bool]{true, byAncestor},
	tick:          fact[time.Duration]{10 * time.Millisecond, "read: DragonFly, kqueue_sleep"},
	longest:       fact[int64]{noLimit, "believed: DragonFly, kqueue_sleep"},
}

var darwin = personality{
	name:          "darwin",
	pipeGone:      fact[unix.Errno]{0, byXnuPipe},
	readOnWriter:  fact[wrongEnd]{reportsEnd, byXnuPipe},
	writeOnReader: fact[wrongEnd]{reportsEnd, byXnuPipe},
	fullPipeEnds:  fact[bool]{true, byXnuPipe},
	kqueueWrite:   fact[unix.Errno]{unix.EINVAL, byDarwin},
	zombie:        fact[unix.Errno]{unix.ESRCH, "believed: xnu, proc_find"},
	enableTells:   fact[bool]{true, byDarwin},
	eventFlags:    fact[uint16]{EV_ADD | EV_CLEAR, byDarwin},
	inOrder:       fact[bool]{true, byDarwin},
	readFirst:     fact[bool]{false, byXnuSocket},
	readRepeats:   fact[bool]{true, byXnuPipe},
	acceptRepeats: fact[bool]{false, byXnuSocket},
	ackRepeats:    fact[bool]{true, byAncestor},
	tick:          fact[time.Duration]{0, byDarwin},
	longest:       fact[int64]{math.MaxInt32, byXnuTime},
}

// systems are the personalities of real systems.
var systems = []*personality{&netbsd, &freebsd, &openbsd, &dragonfly, &darwin}

// EnvName is the environment variable that chooses the personality of a
// process's kqueues: strict (the default), netbsd, freebsd, openbsd, dragonfly,
// darwin, or restless:SEED.
const EnvName = "EDDY_KQUEUE"

var chosen = choose(os.Getenv(EnvName))

func choose(value string) *personality {
	if value == "" {
		return &strict
	}
	name, seed, _ := strings.Cut(value, ":")
	if name == "restless" {
		p := strict
		p.name, p.restless = value, true
		var err error
		if p.seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
			panic(fmt.Sprintf("kqmodel: %s=%s: want restless:SEED", EnvName, value))
		}
		return &p
	}
	for _, p := range append(systems, &strict) {
		if p.name == value {
			return p
		}
	}
	panic(fmt.Sprintf("kqmodel: %s=%s: unknown system", EnvName, value))
}

// Tick returns the unit of a sleep, or 0 if it is a nanosecond.
func Tick() time.Duration { return chosen.tick.is }

// Repeats reports whether events may be repeated although nothing has changed.
func Repeats() bool { return chosen.restless }

// sleep returns how long the kernel sleeps for a timeout of d. A kernel that
// counts in ticks does not know how much of the present tick is left, so it
// adds one.
func (p *personality) sleep(d, now time.Duration) time.Duration {
	tick := p.tick.is
	if tick == 0 || d <= 0 {
		return d
	}
	ticks := (d-1)/tick + 2
	return ticks*tick - now%tick
}
