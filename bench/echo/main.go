//go:build linux

// Echo measures echo servers, each in its own process on one processor, with a
// load generator on another. It compares eddy with a C epoll loop, which is the
// limit, and with other libraries. Because machines are noisy, rounds are
// interleaved (A B C A B C), results are medians, and ratios are taken within a
// round. The server's CPU time per message is the most stable figure.
//
//	go run ./echo
//	go run ./echo -peers c,eddy,net -shapes 64x1x64,1000x16x10KiB -rounds 5 -time 1s
//	go run ./echo -shapes all
//
// A shape is CONNECTIONSxINFLIGHTxSIZE. With the suffix @70, messages are sent
// at 70% of the server's maximum rate, measured just before, whether or not
// earlier ones are back: that measures the latency that clients see.
//
// It prints tables in Markdown, and writes them, all rounds as JSON, and a chart
// as SVG. It needs Linux and two processors. A peer that can't be built here is
// skipped, with a message.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/proc"
	"github.com/eddyio/eddy/bench/internal/report"
)

const defaultPeers = "c,eddy,eddy-ready,net,gnet,netpoll,libuv,asio,tokio,uvloop"

func main() {
	log.SetFlags(0)
	log.SetPrefix("echo: ")
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal(err)
	}
}

// options are the values of the flags.
type options struct {
	peers  []peers.Peer
	shapes []shape
	rounds int
	time   time.Duration
	out    string
}

func parse(args []string, errs io.Writer) (o options, err error) {
	f := flag.NewFlagSet("echo", flag.ContinueOnError)
	f.SetOutput(errs)
	keys := f.String("peers", defaultPeers, "servers, separated by commas, or all: "+peers.Keys(peers.Echo))
	shapes := f.String("shapes", defaultShapes, "what the load is like, or all")
	f.IntVar(&o.rounds, "rounds", 5, "rounds, of which the median counts")
	f.DurationVar(&o.time, "time", 600*time.Millisecond, "length of a measurement")
	f.StringVar(&o.out, "out", "results", "folder for echo.md, echo.json and echo.svg")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.time <= 0 {
		return o, errors.New("flags only, and positive ones: see -help")
	}
	if o.peers, err = peers.Choose(peers.Echo, *keys); err != nil {
		return o, err
	}
	o.shapes, err = parseShapes(*shapes)
	return o, err
}

// results is written as JSON.
type results struct {
	*report.Run
	Shapes []measured `json:"shapes"`
}

func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "eddy-echo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := results{Run: report.Begin(stdout, "echo", args, proc.Machine())}
	servers, skipped := peers.Build(dir, o.peers)
	for _, s := range skipped {
		r.Skip(s.String())
	}
	if len(servers) == 0 {
		return errors.New("none of the servers can be built here")
	}
	m := newMeter(o)
	m.warn(r)
	for i, s := range o.shapes {
		if why := m.impossible(s); why != "" {
			r.Skip(fmt.Sprintf("without %s: %s", s.title(), why))
			continue
		}
		fmt.Fprintf(stderr, "shape %d of %d: %s\n", i+1, len(o.shapes), s.title())
		x := m.measure(s, servers)
		x.print(r)
		r.Shapes = append(r.Shapes, x)
	}
	report.PrintTargets(r, r.targets())
	return r.Save(o.out, r, r.chart())
}
