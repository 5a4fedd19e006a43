package coro

import (
	"errors"
	"iter"
	"sync"
	"testing"
)

// Calls by other goroutines while the owner drives always fail, and do not
// affect the owner. Run with the race detector too.
func TestWrongGoroutine(t *testing.T) {
	noLeaks(t)
	g := echo()
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for range 200 {
				_, next := g.Next()
				_, send := g.Send(99)
				_, throw := g.Throw(errBoom)
				for _, err := range []error{next, send, throw, g.Close()} {
					checkErr(t, "elsewhere", err, ErrWrongGoroutine)
				}
				if g.State() != Unknown {
					t.Errorf("state %v elsewhere", g.State())
				}
				for _, err := range g.All() {
					checkErr(t, "ranging elsewhere", err, ErrWrongGoroutine)
				}
				var other Coroutine // nor may a coroutine of theirs
				other.Init(func() {
					_, err := g.Next()
					checkErr(t, "a coroutine elsewhere", err, ErrWrongGoroutine)
				})
				new(Coroutine).Switch(&other)
			}
		})
	}
	for i := 1; i <= 2000; i++ {
		if v, err := g.Next(); v != i || err != nil {
			t.Fatalf("value %d, error %v, want %d", v, err, i)
		}
	}
	others.Wait()
	checkErr(t, "close", g.Close(), nil)
}

// Only the body may call Yield: not another goroutine, not its driver, not
// another body on the same root, and nothing after the body has returned.
func TestYieldFromElsewhere(t *testing.T) {
	noLeaks(t)
	var y *Yielder[int, int]
	refused := func(who string) {
		t.Helper()
		_, err := y.Yield(7)
		checkErr(t, who, err, ErrWrongGoroutine)
		inner := echo()
		_, err = From(y, inner)
		checkErr(t, "From by "+who, err, ErrWrongGoroutine)
		if inner.State() != Created {
			t.Errorf("From by %s drove the inner one", who)
		}
	}
	g := New(func(mine *Yielder[int, int]) (string, error) {
		y = mine
		elsewhere(func() { refused("a goroutine that the body waits for") })
		between := New(func(*Yielder[int, int]) (string, error) {
			refused("another body")
			return "", nil
		})
		between.Next()
		mine.Yield(1)
		return "", nil
	})
	if v, err := g.Next(); v != 1 || err != nil {
		t.Fatalf("%d, %v", v, err)
	}
	refused("the driver")
	g.Next()
	refused("anybody, after the end")
	y = new(Yielder[int, int])
	refused("a Yielder that New did not make")
}

// A body may drive a generator that its maker made, and its maker may drive it
// afterwards.
func TestSameRootMayDrive(t *testing.T) {
	noLeaks(t)
	g := echo()
	defer g.Close()
	var got []int
	drive := func() {
		v, err := g.Next()
		if err != nil {
			t.Error(err)
		}
		got = append(got, v)
		if err := check(g); err != nil {
			t.Error(err)
		}
	}
	body := New(func(y *Yielder[int, int]) (string, error) {
		drive()
		drive()
		y.Yield(0)
		drive()
		return "", nil
	})
	drive()
	body.Next()
	drive()
	body.Next()
	if len(got) != 5 || got[4] != 5 {
		t.Errorf("got %v", got)
	}
}

// A generator outlives the coroutine that made it: it belongs to the root.
func TestMakerHasEnded(t *testing.T) {
	noLeaks(t)
	var g *Generator[int, int, string]
	var c Coroutine
	c.Init(func() {
		g = echo()
		if g.owner.last.Load() != c.strand {
			t.Error("made by a coroutine, whose strand it does not have")
		}
		g.Next()
	})
	new(Coroutine).Switch(&c)
	if g.owner.used() {
		t.Error("I never used it")
	}
	if v, err := g.Next(); v != 2 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	elsewhere(func() { checkErr(t, "elsewhere", g.Close(), ErrWrongGoroutine) })
	checkErr(t, "close", g.Close(), nil)
}

// A foreign iter.Pull runs on a goroutine that coro does not know. Driving an
// outer generator there returns a clear error; one made inside works.
func TestInsidePull(t *testing.T) {
	noLeaks(t)
	g := echo()
	next, stop := iter.Pull2(g.All())
	if _, err, ok := next(); !ok || !errors.Is(err, ErrWrongGoroutine) {
		t.Errorf("%v, %v", err, ok)
	}
	stop()
	next, stop = iter.Pull2(func(yield func(int, error) bool) { echo().All()(yield) })
	for i := 1; i < 4; i++ {
		if v, err, ok := next(); v != i || err != nil || !ok {
			t.Errorf("%d, %v, %v", v, err, ok)
		}
	}
	stop()
}
