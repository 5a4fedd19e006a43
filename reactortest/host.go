package reactortest

import (
	"context"
	"errors"
	"net/netip"

	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/reactor"
)

// A Host is a machine of a [Network] that runs one program. It has its own addresses
// and its own clock. [Network.Host] returns it by name. Tasks and callbacks may call
// its methods.
type Host struct {
	net    *Network
	name   string
	index  int
	addr   netip.Addr
	addr6  netip.Addr
	main   func(ctx context.Context) error
	task   *reactor.Task[struct{}]
	proc   *process
	faults HostFaults

	shortReads, shortWrites, badAccepts uint64 // in parts of 65536

	clock hostClock
}

// Name returns the host's name, which programs can dial.
func (h *Host) Name() string { return h.name }

// Addr returns the host's IPv4 address.
func (h *Host) Addr() netip.Addr { return h.addr }

// Start boots the host and runs main on it as a task. Sockets made under main's ctx,
// or a ctx derived from it, are the host's. A program that runs already is stopped
// first. If main fails and nothing calls Wait, the error is reported when the run ends.
func (h *Host) Start(main func(ctx context.Context) error) *Host {
	h.main = main
	h.Restart()
	return h
}

// Restart boots the host and runs the main function of Start again. State that should
// survive must be in variables outside the function.
func (h *Host) Restart() {
	if h.task != nil {
		h.Stop()
	}
	h.proc = newProcess(h)
	h.net.sim.note(h.proc, "boots")
	if h.main == nil {
		return
	}
	ctx := simulation.WithHost(h.net.ctx, h.proc)
	h.task = reactor.Go(ctx, h.main)
	h.task.SetName(h.name)
}

// Crash turns the host off, as a power failure does. Its tasks are cancelled, and its
// connections go silent without a FIN or a reset. Peers find out by timeouts or, once
// the host is up again, by a reset.
func (h *Host) Crash() {
	if k := h.proc.kernel; k.up {
		k.up = false
		h.end("crashes", (*socket).crash)
		for _, s := range h.net.sim.files {
			if s != nil && s.peer != nil && s.peer.proc.kernel == k {
				s.peerVanished()
			}
		}
	}
}

// Stop ends the host's program, as killing its process does: its tasks are cancelled,
// and the kernel closes its sockets.
func (h *Host) Stop() {
	if !h.proc.ended {
		h.end("stops", (*socket).abandon)
	}
}

// ErrCrashed is the cause of cancellation of a host's tasks when the host crashes or
// is stopped.
var ErrCrashed = errors.New("reactortest: the host has crashed")

func (h *Host) end(how string, each func(*socket)) {
	h.net.sim.note(h.proc, "%s", how)
	h.proc.ended = true
	for _, s := range h.net.sim.files {
		if s != nil && s.proc == h.proc {
			each(s)
		}
	}
	if h.task != nil {
		h.task.Cancel(ErrCrashed)
	}
}

// Up reports whether the host is on.
func (h *Host) Up() bool { return h.proc.kernel.up }

// Wait suspends the running task until the host's main function has returned. It
// returns that function's error, or ctx's if ctx is done first.
func (h *Host) Wait(ctx context.Context) error {
	if h.task == nil {
		return errors.New("reactortest: Wait for a host that was not started")
	}
	return h.task.Wait(ctx)
}

// Context returns a copy of ctx for the host: sockets made under it are the host's.
func (h *Host) Context(ctx context.Context) context.Context {
	return simulation.WithHost(ctx, h.proc)
}
