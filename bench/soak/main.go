//go:build linux

// Soak makes a server hold many connections for a while, on loopback, with
// hostile peers and scarce resources, and checks in the end that nothing was
// lost or leaked.
//
//	go run ./soak                                   # a minute, 2,000 connections
//	go run ./soak -conns 15000 -for 1h -restart 1m  # a long one
//
// The server is this process: a loop that serves plain TCP by ServeReady and
// TLS by Serve. The clients are another process, with the standard library's
// net, which is restarted every -restart. A client is steady, comes and goes,
// reads slowly, or is hostile: it never reads, resets in the middle of a
// message, or sends nothing or garbage in place of a TLS handshake. Every
// -pressure the server is short of descriptors and memory for a while. Soak
// exits with status 1 if a check fails.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/bench/internal/proc"
)

// options are the command's flags.
type options struct {
	conns    int
	span     time.Duration
	restart  time.Duration
	pressure time.Duration
	lag      time.Duration
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("soak: ")
	if len(os.Args) == 5 && os.Args[1] == clientArg {
		if err := beClients(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal(err)
	}
}

func run(args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.IntVar(&o.conns, "conns", 2000, "how many connections are held at a time")
	flags.DurationVar(&o.span, "for", time.Minute, "how long it takes")
	flags.DurationVar(&o.restart, "restart", 20*time.Second, "how often the clients' process is started anew")
	flags.DurationVar(&o.pressure, "pressure", 7*time.Second, "how often descriptors and memory are short")
	flags.DurationVar(&o.lag, "lag", 5*time.Second, "how late the loop may be at most; a busy machine adds to it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if limit := proc.RaiseFileLimit(); limit < o.conns+500 {
		return fmt.Errorf("the limit of %d descriptors per process is too low for %d connections", limit, o.conns)
	}
	s := &soak{options: o}
	begun := time.Now()
	before, after, err := s.serve(context.Background())
	if err != nil {
		return err
	}
	return s.print(out, time.Since(begun), before, after)
}

// clients runs the clients' process again and again until the end, and adds up
// the counts of each.
func (s *soak) clients(ctx context.Context, plain, secure string) error {
	for end := time.Now().Add(s.span); time.Now().Before(end) && ctx.Err() == nil; s.starts++ {
		span := min(s.restart, time.Until(end))
		err := s.clientsOnce(ctx, plain, secure, span)
		for errors.Is(err, unix.EMFILE) { // no process can be started while descriptors are scarce
			time.Sleep(100 * time.Millisecond)
			err = s.clientsOnce(ctx, plain, secure, span)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *soak) clientsOnce(ctx context.Context, plain, secure string, span time.Duration) error {
	cmd := exec.CommandContext(ctx, os.Args[0], clientArg, plain, secure, fmt.Sprint(s.conns))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	report, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	select {
	case <-time.After(span):
	case <-ctx.Done():
	}
	in.Close() // makes it print its counts and exit, with all connections open
	var c counts
	err = json.NewDecoder(bufio.NewReader(report)).Decode(&c)
	s.counts.add(c)
	return errors.Join(err, cmd.Wait())
}

// print writes the figures, and returns an error for each check that fails.
func (s *soak) print(out io.Writer, took time.Duration, before, after holdings) error {
	fmt.Fprintf(out, "| what | figure |\n|---|---|\n")
	for _, row := range []struct {
		what   string
		figure any
	}{
		{"machine", proc.Machine()},
		{"time", took.Round(time.Second)},
		{"connections at a time, asked for; at most at once", fmt.Sprint(s.conns, "; ", s.peak)},
		{"connections accepted, plain and TLS", fmt.Sprint(s.plain.Accepted, " and ", s.secure.Accepted)},
		{"starts of the clients' process; spells of pressure", fmt.Sprint(s.starts, "; ", s.spells)},
		{"messages checked, and their bytes", fmt.Sprint(s.counts.Messages, ", ", s.counts.Bytes)},
		{"messages wrong; failures of honest clients", fmt.Sprint(s.counts.Wrong, "; ", s.counts.Failed)},
		{"hostile connections", s.counts.Hostile},
		{"descriptors before and after", fmt.Sprint(before.fds, ", ", after.fds)},
		{"goroutines before and after", fmt.Sprint(before.goroutines, ", ", after.goroutines)},
		{"heap before, at most, and after, KiB", fmt.Sprint(before.heap>>10, ", ", s.heap>>10, ", ", after.heap>>10)},
		{"lag of the loop, at most", s.worst.Round(time.Microsecond)},
	} {
		fmt.Fprintf(out, "| %s | %v |\n", row.what, row.figure)
	}
	var failed []error
	check := func(ok bool, what string) {
		if !ok {
			failed = append(failed, errors.New(what))
		}
	}
	check(s.counts.Messages > 0 && s.plain.Accepted > 0 && s.secure.Accepted > 0, "nothing was done")
	check(s.counts.Wrong == 0, "a message came back wrong: "+s.counts.First)
	check(s.counts.Failed == 0, "an honest client's connection failed: "+s.counts.First)
	check(after.fds <= before.fds, "descriptors are left")
	check(after.goroutines <= before.goroutines, "goroutines are left")
	check(after.heap < before.heap+8<<20, "memory is left")
	check(s.worst <= s.lag, "the loop was late")
	return errors.Join(failed...)
}
