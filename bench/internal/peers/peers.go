//go:build linux

// Package peers lists the servers to measure, and builds those that can be
// built here. Each is a program in its own folder and language that prints
// "listening on HOST:PORT" and serves with one thread, or one processor.
package peers

import (
	"fmt"
	"strings"
	"sync"

	"github.com/eddyio/eddy/bench/internal/report"
)

// A Peer is a kind of server.
type Peer struct {
	Key   string // for the flag that chooses it
	Title string // for tables
	Go    bool   // it collects garbage on request; see package serve

	build func(dir string) (argv []string, err error)
}

// A Program is a server that has been built.
type Program struct {
	Peer
	Argv []string
}

// Skipped is a peer that can't be built here.
type Skipped struct {
	Peer   Peer
	Reason error
}

// String returns the reason in a line.
func (s Skipped) String() string { return fmt.Sprintf("without %s: %v", s.Peer.Title, s.Reason) }

// The keys of peers used in other packages.
const (
	Limit     = "c"
	Eddy      = "eddy"
	EddyReady = "eddy-ready"
)

// Echo lists the echo servers. The first is the limit.
var Echo = []Peer{
	native(Limit, "C epoll loop", cc("c/echo.c")),
	goMain(Eddy, "eddy Serve", "eddy"),
	goMain(EddyReady, "eddy ServeReady", "eddy", "-ready"),
	goMain("net", "Go net", "std"),
	goMain("gnet", "gnet", "gnet"),
	goMain("netpoll", "netpoll", "netpoll"),
	native("libuv", "libuv", cc("libuv/echo.c", "libuv")),
	native("asio", "Boost.Asio", cxx("asio/echo.cc", "boost/asio.hpp")),
	native("tokio", "tokio", cargo("tokio", "echo")),
	native("uvloop", "uvloop", python("uvloop/echo.py", "uvloop", "streams")),
	native("uvloop-protocol", "uvloop, protocol", python("uvloop/echo.py", "uvloop", "protocol")),
	native("asyncio", "asyncio", python("uvloop/echo.py", "asyncio", "streams")),
	goMain("eddy-read", "eddy, own buffers", "eddy", "-buffer", "65536"),
	goMain("net-copy", "Go net, io.Copy", "std", "-buffer", "0"),
	goMain("net4k", "Go net, 4 KiB buffer", "std", "-buffer", "4096"),
}

// HTTP lists the servers that answer each request with 1 KiB.
var HTTP = []Peer{
	goMain(Eddy, "fasthttp on eddy", "fasthttp", "-on", "eddy"),
	goMain("fasthttp", "fasthttp on Go net", "fasthttp", "-on", "net"),
	goMain("net/http", "net/http", "nethttp"),
}

// Choose returns the peers of all that have these keys, in the order of all, for
// a comma-separated list of keys. "all" is a list of all.
func Choose(all []Peer, keys string) ([]Peer, error) {
	if keys == "all" {
		return all, nil
	}
	wanted := map[string]bool{}
	for key := range strings.SplitSeq(keys, ",") {
		wanted[key] = true
	}
	var chosen []Peer
	for _, p := range all {
		if wanted[p.Key] {
			chosen = append(chosen, p)
			delete(wanted, p.Key)
		}
	}
	for key := range wanted {
		return nil, fmt.Errorf("there is no peer %q; choose from %s", key, Keys(all))
	}
	return chosen, nil
}

// Keys returns the keys of peers as a list for Choose.
func Keys(peers []Peer) string {
	keys := make([]string, len(peers))
	for i, p := range peers {
		keys[i] = p.Key
	}
	return strings.Join(keys, ",")
}

// Build builds the peers in dir, in parallel, and returns those built and those
// skipped, both in the order of peers.
func Build(dir string, peers []Peer) (built []Program, skipped []Skipped) {
	argvs, errs := make([][]string, len(peers)), make([]error, len(peers))
	var wg sync.WaitGroup
	for i, p := range peers {
		wg.Go(func() { argvs[i], errs[i] = p.build(dir) })
	}
	wg.Wait()
	for i, p := range peers {
		if errs[i] != nil {
			skipped = append(skipped, Skipped{p, errs[i]})
		} else {
			built = append(built, Program{p, argvs[i]})
		}
	}
	return built, skipped
}

// Lines returns a line for each program, without rounds.
func Lines[R any](programs []Program) []report.Line[R] {
	lines := make([]report.Line[R], len(programs))
	for i, p := range programs {
		lines[i] = report.Line[R]{Key: p.Key, Title: p.Title}
	}
	return lines
}

func native(key, title string, build func(dir string) ([]string, error)) Peer {
	return Peer{Key: key, Title: title, build: build}
}
