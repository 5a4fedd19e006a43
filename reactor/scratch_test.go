package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func TestScratchIsShared(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f, g := openFake(t, ctx, 5), openFake(t, ctx, 6)
		if f.IsScratch(nil) || f.IsScratch(make([]byte, 8)) {
			t.Error("IsScratch of other memory")
		}
		p, q := f.Inner().Scratch(), g.Inner().Scratch()
		if len(p) != core.ScratchSize || &p[0] != &q[0] {
			t.Error("two FDs of a loop have not the same")
		}
		for _, part := range [][]byte{p, p[:1], p[100:200], p[core.ScratchSize-1:]} {
			if !g.IsScratch(part) {
				t.Error("a part of it is not known")
			}
		}
		if n := testing.AllocsPerRun(10, func() { f.Inner().Scratch() }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		return nil
	})
}

// debugged runs main in debug mode and returns what Run returns.
func debugged(t *testing.T, main func(ctx context.Context, f *core.FD) error) error {
	t.Helper()
	s := setup{world: newWorld(t)}
	s.Debug = true
	return s.run(t, func(ctx context.Context) error { return main(ctx, openFake(t, ctx, 5)) })
}

func TestScratchUsedForTooLongPanicsInDebugMode(t *testing.T) {
	var sink byte
	for name, use := range map[string]func(f *core.FD, p []byte){
		"read":         func(f *core.FD, p []byte) { sink = p[0] },
		"written":      func(f *core.FD, p []byte) { p[core.ScratchSize-1] = 1 },
		"asked about":  func(f *core.FD, p []byte) { f.IsScratch(p) },
		"asked, inner": func(f *core.FD, p []byte) { f.IsScratch(p[5:9]) },
	} {
		err := debugged(t, func(ctx context.Context, f *core.FD) error {
			p := f.Inner().Scratch()
			p[0] = 1
			use(f, p)
			Yield(ctx)
			use(f, p)
			return nil
		})
		if !errors.Is(err, core.ErrScratch) || !strings.Contains(err.Error(), "scratch_test.go") {
			t.Errorf("%s: %v, want ErrScratch and where", name, err)
		}
	}
	_ = sink
}

func TestScratchInDebugModeIsUsableUntilTheSuspension(t *testing.T) {
	err := debugged(t, func(ctx context.Context, f *core.FD) error {
		for i := range 200 { // more than are remembered
			p := f.Inner().Scratch()
			p[0], p[core.ScratchSize-1] = 1, 1
			if !f.IsScratch(p) {
				t.Error("not known")
			}
			Current(ctx)
			if i%3 != 0 { // or it is asked for again at once
				Yield(ctx)
			}
		}
		return Sleep(ctx, time.Second)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestScratchAskedForAgainExpiresInDebugMode(t *testing.T) {
	err := debugged(t, func(ctx context.Context, f *core.FD) error {
		p := f.Inner().Scratch()
		f.Inner().Scratch()
		p[0] = 1
		return nil
	})
	if !errors.Is(err, core.ErrScratch) {
		t.Errorf("%v, want ErrScratch", err)
	}
}

func TestOtherFaultsAreNotTakenForScratch(t *testing.T) {
	err := debugged(t, func(ctx context.Context, f *core.FD) error {
		f.Inner().Scratch()
		Yield(ctx)
		var p *int
		*p = 1
		return nil
	})
	if err == nil || errors.Is(err, core.ErrScratch) {
		t.Errorf("a nil dereference: %v", err)
	}
}
