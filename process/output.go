package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
)

// Output runs the program, as [Cmd.Run] does, and returns its standard output,
// also if an error cut that short. If Stderr is nil, the last 32 KiB of
// standard error are in the [exec.ExitError].
//
// It reads until the output ends, so a descendant of the program that holds it
// open delays Output; ctx bounds that too.
func (c *Cmd) Output(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	if err := c.captured(&out, nil); err != nil {
		return nil, err
	}
	if c.Stderr != nil || c.stderr != nil {
		err := c.Run(ctx)
		return out.Bytes(), err
	}
	var end tail
	c.Stderr = &end
	err := c.Run(ctx)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		exit.Stderr = end.bytes()
	}
	return out.Bytes(), err
}

// CombinedOutput is like [Cmd.Output], but returns standard output and standard
// error together, in the order in which they were written.
func (c *Cmd) CombinedOutput(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	if err := c.captured(&out, &out); err != nil {
		return nil, err
	}
	err := c.Run(ctx)
	return out.Bytes(), err
}

// Communicate runs the program, as [Cmd.Run] does, writes input to its standard
// input, and returns all its output. It does so concurrently, so neither side
// waits for the other with a full pipe, however much is written. It is
// asyncio's communicate.
func (c *Cmd) Communicate(ctx context.Context, input []byte) (stdout, stderr []byte, err error) {
	var out, errs bytes.Buffer
	if c.Stdin != nil || c.stdin != nil {
		return nil, nil, taken("Stdin")
	}
	if err := c.captured(&out, &errs); err != nil {
		return nil, nil, err
	}
	c.Stdin = bytes.NewReader(input)
	err = c.Run(ctx)
	return out.Bytes(), errs.Bytes(), err
}

// captured directs the streams to the writers that are not nil.
func (c *Cmd) captured(stdout, stderr io.Writer) error {
	if c.Stdout != nil || c.stdout != nil {
		return taken("Stdout")
	}
	if stderr != nil && (c.Stderr != nil || c.stderr != nil) {
		return taken("Stderr")
	}
	c.Stdout = stdout
	if stderr != nil {
		c.Stderr = stderr
	}
	return nil
}

// taken returns the error of setting a stream twice.
func taken(name string) error {
	return errors.New("process: " + name + " is set already: each standard stream goes one way only")
}

// A tail keeps the end of what is written to it.
//
// Invariant: kept ends with the last min(tailSize, all) bytes written.
type tail struct{ kept []byte }

const tailSize = 32 << 10

func (t *tail) Write(p []byte) (int, error) {
	if len(t.kept)+len(p) > 4*tailSize {
		t.kept = append(t.kept[:0], t.bytes()...)
	}
	t.kept = append(t.kept, p[max(0, len(p)-tailSize):]...)
	return len(p), nil
}

func (t *tail) bytes() []byte { return t.kept[max(0, len(t.kept)-tailSize):] }
