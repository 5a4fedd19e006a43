package reactor

import (
	"context"
	"os"
	"os/signal"

	"github.com/eddyio/eddy/reactor/core"
)

// OnSignal makes the loop call f, like [Loop.CallSoon], each time the process
// gets one of the signals, until stop is called or the loop ends. A signal may
// be merged with an earlier one of the same kind for which f has not been
// called yet. Meanwhile the loop is never deadlocked, because a signal may come
// at any time. OnSignal and stop may be called by tasks and callbacks of the
// loop. To end a program by an interrupt, give [Run] a ctx from
// signal.NotifyContext instead.
func OnSignal(ctx context.Context, f func(os.Signal), signals ...os.Signal) (stop func()) {
	s := core.Under(ctx, "OnSignal")
	l := Facade(s.Loop())
	l.core.OnLoop("OnSignal")
	if f == nil {
		panic("reactor: OnSignal with a nil function")
	}
	l.core.Refuse("reactor.OnSignal waits for the system's signals: call what the signal is to do")
	h := &signalHandler{loop: l, f: f, ch: make(chan os.Signal, 8), quit: make(chan struct{})}
	signal.Notify(h.ch, signals...)
	l.core.Outside(1)
	if l.signals == nil {
		l.signals = make(map[*signalHandler]struct{})
		l.core.AtEnd(l.stopSignals)
	}
	l.signals[h] = struct{}{}
	h.done = make(chan struct{})
	go h.run()
	return func() {
		l.core.OnLoop("stopping OnSignal")
		h.stop()
	}
}

func (l *Loop) stopSignals() {
	for h := range l.signals {
		h.stop()
	}
}

type signalHandler struct {
	loop *Loop
	f    func(os.Signal)
	ch   chan os.Signal
	quit chan struct{}
	done chan struct{}
}

func (h *signalHandler) run() {
	defer close(h.done)
	for {
		select {
		case sig := <-h.ch:
			l := &h.loop.core
			l.Post(func() { l.Soon(func() { h.call(sig) }) })
		case <-h.quit:
			return
		}
	}
}

// call calls f, unless the handler was stopped after the signal came.
func (h *signalHandler) call(sig os.Signal) {
	if _, on := h.loop.signals[h]; on {
		h.f(sig)
	}
}

// stop ends the handler, and waits for its goroutine, which does not block.
func (h *signalHandler) stop() {
	if _, on := h.loop.signals[h]; !on {
		return
	}
	delete(h.loop.signals, h)
	h.loop.core.Outside(-1)
	signal.Stop(h.ch)
	close(h.quit)
	<-h.done
}
