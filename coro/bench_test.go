package coro

import (
	"fmt"
	"iter"
	"testing"
)

// Each benchmark counts one resumption and the way back as one operation, so
// that ns/op of any two can be divided.

func BenchmarkPull(b *testing.B) {
	b.ReportAllocs()
	next, stop := iter.Pull(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	defer stop()
	for b.Loop() {
		next()
	}
}

// BenchmarkResume measures only the control transfer of a generator, there and
// back, as in BenchmarkPull, without the protocol of values and errors and the
// check of the caller.
func BenchmarkResume(b *testing.B) {
	b.ReportAllocs()
	var f frame
	over := false
	f.body.Init(func() {
		for !over {
			f.suspend()
		}
	})
	for b.Loop() {
		f.resume()
	}
	over = true
	f.resume()
}

// BenchmarkCoroutineSwitch counts one Switch as one operation in a ring, and
// two (there and back) between host and coroutine.
func BenchmarkCoroutineSwitch(b *testing.B) {
	b.Run("host", func(b *testing.B) {
		b.ReportAllocs()
		r := newRing(1)
		defer r.end()
		for b.Loop() {
			r.host.Switch(&r.cs[0])
		}
	})
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint("ring=", n), func(b *testing.B) {
			b.ReportAllocs()
			r := newRing(n)
			defer r.end()
			b.ResetTimer()
			r.turns = b.N/n + 1
			r.host.Switch(&r.cs[0])
		})
	}
}

// A ring passes control from each coroutine to the next, and from the last to
// the host once it has no turns left, else to the first.
type ring struct {
	host  Coroutine
	cs    []Coroutine
	turns int
	over  bool
}

func newRing(n int) *ring {
	r := &ring{cs: make([]Coroutine, n)}
	for i := range r.cs {
		r.cs[i].Init(func() { r.run(i) })
	}
	return r
}

func (r *ring) run(i int) {
	for !r.over {
		r.cs[i].Switch(r.after(i))
	}
}

func (r *ring) after(i int) *Coroutine {
	if i+1 < len(r.cs) {
		return &r.cs[i+1]
	}
	r.turns--
	if r.turns > 0 && len(r.cs) > 1 {
		return &r.cs[0]
	}
	return &r.host
}

// end lets every coroutine return. The end of one may wake another one than the
// host, so it goes on until all have ended.
func (r *ring) end() {
	r.over = true
	for i := range r.cs {
		for r.cs[i].at != nil {
			r.host.Switch(&r.cs[i])
		}
	}
}

func counter() *Generator[int, int, struct{}] {
	return New(func(y *Yielder[int, int]) (struct{}, error) {
		for i := 0; ; i++ {
			if _, err := y.Yield(i); err != nil {
				return struct{}{}, err
			}
		}
	})
}

func BenchmarkGeneratorNext(b *testing.B) {
	b.ReportAllocs()
	g := counter()
	defer g.Close()
	for b.Loop() {
		g.Next()
	}
}

func BenchmarkGeneratorSend(b *testing.B) {
	b.ReportAllocs()
	g := counter()
	defer g.Close()
	g.Next()
	for b.Loop() {
		g.Send(1)
	}
}

func BenchmarkGeneratorAll(b *testing.B) {
	b.ReportAllocs()
	g := counter()
	b.ResetTimer()
	n := 0
	for range g.All() {
		if n++; n > b.N {
			break
		}
	}
}

// BenchmarkGeneratorFrom measures a Next that passes through depth Froms.
func BenchmarkGeneratorFrom(b *testing.B) {
	for _, depth := range []int{1, 4} {
		b.Run(fmt.Sprint("depth=", depth), func(b *testing.B) {
			b.ReportAllocs()
			g := counter()
			for range depth {
				inner := g
				g = New(func(y *Yielder[int, int]) (struct{}, error) { return From(y, inner) })
			}
			defer g.Close()
			for b.Loop() {
				g.Next()
			}
		})
	}
}

// BenchmarkGeneratorLife makes, starts and closes a generator; "fresh" does not
// start it.
func BenchmarkGeneratorLife(b *testing.B) {
	b.Run("pull", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next, stop := iter.Pull(func(yield func(int) bool) { yield(1) })
			next()
			stop()
		}
	})
	b.Run("started", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			g := counter()
			g.Next()
			g.Close()
		}
	})
	b.Run("fresh", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			counter().Close()
		}
	})
}

func BenchmarkRoot(b *testing.B) {
	for b.Loop() {
		Root()
	}
}
