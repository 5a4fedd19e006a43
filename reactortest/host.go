package reactortest

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
)

// A Host is a machine of a [Network], with addresses and a clock of its own, and
// one program. The same host is meant wherever its name is. Its methods may be
// called by tasks and callbacks.
type Host struct {
	net    *Network
	name   string
	index  int
	addr   netip.Addr
	addr6  netip.Addr
	main   func(ctx context.Context) error
	task   *reactor.Task[struct{}]
	boot   *boot
	faults HostFaults

	shortReads, shortWrites, badAccepts uint64 // in parts of 65536

	ahead time.Duration
	drift int64 // in parts per million
}

// HostFaults is what the kernel of a host does to the programs on it, besides
// what they hope for. The probabilities are for each call.
type HostFaults struct {
	ShortReads   float64 // a read returns less than there is
	ShortWrites  float64 // a write takes less than there is room for
	AcceptErrors float64 // an accept fails: EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED
	MaxFiles     int     // how many sockets may be open; beyond them: EMFILE. 0: any number
	// Buffers is the size of the buffers of sockets that are made from now on, in
	// bytes, as for SetReadBuffer. 0 means 128 KiB, and Linux's own for datagrams.
	Buffers int
}

// ErrCrashed is the cause with which the tasks of a host are cancelled that
// crashes, or is stopped.
var ErrCrashed = errors.New("reactortest: the host has crashed")

// Name returns the host's name, which others may dial.
func (h *Host) Name() string { return h.name }

// Addr returns the host's IPv4 address.
func (h *Host) Addr() netip.Addr { return h.addr }

// Start boots the host and runs main on it: the ctx that main gets, and all that
// descends from it, is at home there. A host that is up is stopped before. If
// main fails and nobody calls Wait, that is reported when the run ends.
func (h *Host) Start(main func(ctx context.Context) error) *Host {
	h.main = main
	h.Restart()
	return h
}

// Restart boots the host and runs the main function of Start anew. Nothing is
// left of what it knew, unless the function keeps it outside of itself.
func (h *Host) Restart() {
	if h.task != nil {
		h.Stop()
	}
	h.boot = newBoot(h)
	h.net.world.note(h.boot, "boots")
	if h.main == nil {
		return
	}
	ctx := context.WithValue(h.net.ctx, simulation.HostKey, h.boot)
	h.task = reactor.Go(ctx, h.main)
	h.task.SetName(h.name)
}

// Crash turns the host off in this moment: its tasks are cancelled, its
// connections go silent, and nothing answers until it is restarted. Peers learn
// of it as they do of a machine that is off, after long timeouts; or, once it is
// up again, by a reset.
func (h *Host) Crash() {
	if m := h.boot.machine; m.up {
		m.up = false
		h.end("crashes", (*socket).vanish)
		for _, s := range h.net.world.files {
			if s != nil && s.peer != nil && s.peer.home.machine == m {
				s.lonely()
			}
		}
	}
}

// Stop ends the host's program, as a process is killed: its tasks are cancelled,
// and its kernel, which is still there, closes its sockets.
func (h *Host) Stop() {
	if !h.boot.over {
		h.end("stops", (*socket).abandon)
	}
}

func (h *Host) end(how string, each func(*socket)) {
	h.net.world.note(h.boot, "%s", how)
	h.boot.over = true
	for _, s := range h.net.world.files {
		if s != nil && s.home == h.boot {
			each(s)
		}
	}
	if h.task != nil {
		h.task.Cancel(ErrCrashed)
	}
}

// Up says whether the host is on.
func (h *Host) Up() bool { return h.boot.machine.up }

// Wait suspends the running task until the host's main function has returned,
// and returns its error, or ctx's if ctx is done first.
func (h *Host) Wait(ctx context.Context) error {
	if h.task == nil {
		return errors.New("reactortest: Wait for a host that was not started")
	}
	return h.task.Wait(ctx)
}

// Context returns a ctx that is ctx, but at home on the host: what is called
// under it makes its sockets there.
func (h *Host) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, simulation.HostKey, h.boot)
}

// SetFaults makes the host's kernel a faulty one.
func (h *Host) SetFaults(f HostFaults) {
	h.faults = f
	h.shortReads, h.shortWrites, h.badAccepts = parts(f.ShortReads), parts(f.ShortWrites), parts(f.AcceptErrors)
}

// SetClock puts the host's clock ahead of true time, or behind, and makes it gain
// so many millionths: what [reactor.Now] tells on it. Sleeps and timeouts are
// those of true time, for a clock's drift is little beside the network's.
func (h *Host) SetClock(ahead time.Duration, ppm int) {
	h.ahead, h.drift = ahead, int64(ppm)
	h.net.world.note(h.boot, "clock is ahead by %v and gains %d ppm", ahead, ppm)
}

// shows is what the host's clock shows at a time, and reached is the first moment
// at which it shows that, or more. Neither overflows.
func (h *Host) shows(when int64) int64 {
	return when + int64(h.ahead) + when/1e6*h.drift + when%1e6*h.drift/1e6
}

func (h *Host) reached(shown int64) int64 {
	rate := 1e6 + h.drift
	shown -= int64(h.ahead)
	return shown/rate*1e6 + (shown%rate*1e6+rate-1)/rate
}

// buffers is the size of a new socket's buffers.
func (h *Host) buffers() int {
	if h.faults.Buffers > 0 {
		return h.faults.Buffers
	}
	return defaultBuffers
}

const defaultBuffers = 128 << 10
