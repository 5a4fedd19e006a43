package process

import (
	"context"
	"io"
	"os/exec"
	"testing"
)

func BenchmarkRun(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Command("true").Run(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("os-exec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := exec.Command("true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOutput(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Command("echo", "hello").Output(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("os-exec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := exec.Command("echo", "hello").Output(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDialogue measures a small message to a "cat" and back.
func BenchmarkDialogue(b *testing.B) {
	talk := func(b *testing.B, in io.Writer, out io.Reader) {
		b.ReportAllocs()
		msg := make([]byte, 64)
		for b.Loop() {
			if _, err := in.Write(msg); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(out, msg); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			c := Command("cat")
			in, _ := c.StdinPipe()
			out, _ := c.StdoutPipe()
			if err := c.Start(ctx); err != nil {
				b.Fatal(err)
			}
			talk(b, in, out)
			in.Close()
			c.Wait(ctx)
			out.Close()
		})
	})
	b.Run("os-exec", func(b *testing.B) {
		c := exec.Command("cat")
		in, _ := c.StdinPipe()
		out, _ := c.StdoutPipe()
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		talk(b, in, out)
		in.Close()
		c.Wait()
	})
}

// BenchmarkStream measures reading the output of a program, in pieces of 64
// KiB.
func BenchmarkStream(b *testing.B) {
	const size = 64 << 10
	read := func(b *testing.B, out io.Reader) {
		b.SetBytes(size)
		buf := make([]byte, size)
		for b.Loop() {
			if _, err := io.ReadFull(out, buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			c := Command("cat", "/dev/zero")
			out, _ := c.StdoutPipe()
			if err := c.Start(ctx); err != nil {
				b.Fatal(err)
			}
			read(b, out)
			out.Close()
			c.Wait(ctx)
		})
	})
	b.Run("os-exec", func(b *testing.B) {
		c := exec.Command("cat", "/dev/zero")
		out, _ := c.StdoutPipe()
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		read(b, out)
		out.Close()
		c.Wait()
	})
}
