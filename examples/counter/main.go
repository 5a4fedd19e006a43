// Counter is a number that is replicated on three nodes, any one of which may
// fail: a small service with a leader that holds a lease. A node runs until it
// is interrupted; a client increments the number, or reads it, and prints it.
//
//	nodes=127.0.0.1:7101,127.0.0.1:7102,127.0.0.1:7103
//	go run ./examples/counter -nodes $nodes -node 1 -store /tmp/counter1 &
//	go run ./examples/counter -nodes $nodes -node 2 -store /tmp/counter2 &
//	go run ./examples/counter -nodes $nodes -node 3 -store /tmp/counter3 &
//	go run ./examples/counter -nodes $nodes inc
//	go run ./examples/counter -nodes $nodes get
//
// See node.go for the protocol, and why it is safe.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

func main() {
	nodes := flag.String("nodes", "", "the `addresses` of the three nodes, separated by commas")
	node := flag.Int("node", 0, "be this node: `1`, 2 or 3")
	path := flag.String("store", "", "the `file` for the node's persistent state")
	patience := flag.Duration("patience", 10*time.Second, "how long a client tries")
	flag.Parse()
	run, err := program(strings.Split(*nodes, ","), *node, *path, *patience, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "counter:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	if err := reactor.Run(ctx, run); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "counter:", err)
		os.Exit(1)
	}
}

// program returns the function for the arguments, or an error if they are
// wrong.
func program(addrs []string, id int, path string, patience time.Duration, args []string) (func(ctx context.Context) error, error) {
	switch {
	case len(addrs) != nodes || slices.Contains(addrs, ""):
		return nil, fmt.Errorf("-nodes must have %d addresses, such as 127.0.0.1:7101, separated by commas", nodes)
	case id < 0 || id > nodes:
		return nil, fmt.Errorf("-node=%d: it must be from 1 to %d", id, nodes)
	case id > 0 && path == "":
		return nil, errors.New("a node needs a file for its state: set -store")
	case id > 0 && len(args) > 0:
		return nil, fmt.Errorf("unexpected argument %q: a node takes none", args[0])
	case id > 0:
		n := &node{id: id - 1, addrs: addrs, store: &file{path}, log: slog.With("node", id)}
		return n.run, nil
	case len(args) != 1 || args[0] != "inc" && args[0] != "get":
		return nil, errors.New("a client needs one argument, inc or get; a node needs -node")
	}
	return func(ctx context.Context) error {
		c := newClient(addrs)
		defer c.close()
		return reactor.Timeout(ctx, patience, func(ctx context.Context) error {
			v, err := c.ask(ctx, args[0])
			if err == nil {
				fmt.Println(v)
			}
			return err
		})
	}, nil
}
