//go:build linux

// Echo measures echo servers, each a process of its own on one processor, with
// a load generator on another: eddy, Go's net, and a C epoll loop, which is the
// limit. Rounds are interleaved (A B C A B C) and medians printed, since
// machines are noisy; the CPU time that the server spends on a message is the
// steadiest figure.
//
//	go run ./echo
//	go run ./echo -conns 64,1000 -pipeline 1,16 -size 64,10240 -rounds 5
//
// It needs Linux, two processors, and a C compiler for the C loop, which it
// leaves out with a line that says so where there is none.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("echo: ")
	if len(os.Args) > 1 && os.Args[1] == "load" { // as a child of ours
		loadMain(os.Args[2:])
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		serveMain(os.Args[2:])
		return
	}
	rounds := flag.Int("rounds", 3, "rounds, of which the median counts")
	seconds := flag.Float64("seconds", 1, "length of a measurement")
	conns := flag.String("conns", "64,1000", "numbers of connections")
	sizes := flag.String("size", "64", "sizes of a message, in bytes")
	pipeline := flag.String("pipeline", "1,16", "numbers of messages in flight on a connection")
	flag.Parse()
	servers := findServers()
	for _, n := range numbers(*conns) {
		for _, size := range numbers(*sizes) {
			for _, p := range numbers(*pipeline) {
				s := scenario{conns: n, size: size, pipeline: p, length: time.Duration(*seconds * float64(time.Second))}
				measure(s, servers, *rounds)
			}
		}
	}
}

// A scenario is what the load generator does.
type scenario struct {
	conns, size, pipeline int
	length                time.Duration
}

// A result is one measurement.
type result struct {
	Messages int64
	Seconds  float64
	CPU      float64 // seconds of the server's
	P50, P99 float64 // microseconds from a burst to its echo
	Idle     float64 // share of its time that the load generator slept
}

func (r result) perMessage() float64 { return r.CPU / float64(r.Messages) * 1e6 }
func (r result) rate() float64       { return float64(r.Messages) / r.Seconds }

func measure(s scenario, servers []server, rounds int) {
	results := make([][]result, len(servers))
	for range rounds {
		for i, srv := range servers {
			r, err := srv.measure(s)
			if err != nil {
				log.Fatalf("%s: %v", srv.name, err)
			}
			results[i] = append(results[i], r)
		}
	}
	fmt.Printf("\n%d connections, %d bytes, %d in flight on each\n", s.conns, s.size, s.pipeline)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "server\tCPU µs/message\t× C\tmessages/s\tp50 µs\tp99 µs\t")
	limit := median(results[0], result.perMessage)
	var busy []string
	for i, srv := range servers {
		rs := results[i]
		cpu := median(rs, result.perMessage)
		fmt.Fprintf(w, "%s\t%.3f\t%.2f\t%.0f\t%.0f\t%.0f\t\n", srv.name, cpu, cpu/limit, median(rs, result.rate),
			median(rs, func(r result) float64 { return r.P50 }), median(rs, func(r result) float64 { return r.P99 }))
		if idle := median(rs, func(r result) float64 { return r.Idle }); idle < 0.02 {
			busy = append(busy, srv.name)
		}
	}
	w.Flush()
	if len(busy) > 0 {
		fmt.Println("The load generator, and not the server, was the bottleneck for:", strings.Join(busy, ", "))
	}
}

func median(rs []result, of func(result) float64) float64 {
	values := make([]float64, len(rs))
	for i, r := range rs {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func numbers(list string) (ns []int) {
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			log.Fatalf("%q is no list of positive numbers", list)
		}
		ns = append(ns, n)
	}
	return ns
}
