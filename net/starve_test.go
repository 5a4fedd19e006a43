package net

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	stdnet "net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// childEnv is set in a test binary that is to be the starved server.
const childEnv = "EDDY_NET_TEST_CHILD"

// child is a server with 64 fds. It answers a line: "cpu" with the microseconds
// that it has used, "fds" with the number of its fds, others with themselves;
// "quit" ends it.
func child() {
	limit := unix.Rlimit{Cur: 64, Max: 64}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println(ln.Addr())
		return Serve(ctx, ln, func(_ context.Context, c Conn) error { return converse(c, ln) })
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func converse(c Conn, ln Listener) error {
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		switch line {
		case "cpu\n":
			var u unix.Rusage
			unix.Getrusage(unix.RUSAGE_SELF, &u)
			line = fmt.Sprintln((u.Utime.Nano() + u.Stime.Nano()) / 1000)
		case "fds\n":
			line = fmt.Sprintln(len(openFDs()))
		case "quit\n":
			return ln.Close()
		}
		if _, err := c.Write([]byte(line)); err != nil {
			return err
		}
	}
}

// control is a connection to the child on which it is asked about itself.
type control struct {
	stdnet.Conn
	lines *bufio.Reader
}

func (c control) ask(t *testing.T, what string) int {
	t.Helper()
	fmt.Fprintln(c, what)
	line, err := c.lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStarvedOfFDs: 500 clients come to a server that can hold some 50, and the
// first of them stay. It must wait without spinning, serve everybody in the end,
// and lose no fd.
func TestStarvedOfFDs(t *testing.T) {
	leaks(t)
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	log := &logged{}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err, log)
	}
	addr = strings.TrimSpace(addr)
	conn, err := stdnet.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * patience))
	c := control{conn, bufio.NewReader(conn)}
	fds := c.ask(t, "fds")

	leave := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 500 {
		clients.Go(func() {
			if err := visit(addr, fmt.Sprintln(i, "was here"), leave); err != nil {
				t.Error(err)
			}
		})
	}
	for until := time.Now().Add(patience); !strings.Contains(log.String(), "pauses"); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("never starved; log:", log)
		}
	}
	before := c.ask(t, "cpu")
	const starved = 500 * time.Millisecond
	time.Sleep(starved) // a span to measure in, nothing to wait for
	if used := time.Duration(c.ask(t, "cpu")-before) * time.Microsecond; used > starved/2 {
		t.Errorf("the starved server used %v in %v", used, starved)
	}
	close(leave)
	within(t, "serving the rest", clients.Wait)
	for until := time.Now().Add(patience); c.ask(t, "fds") > fds; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Errorf("%d fds are open, were %d", c.ask(t, "fds"), fds)
			break
		}
	}
	fmt.Fprintln(c, "quit")
	within(t, "the child's end", func() {
		if err := cmd.Wait(); err != nil {
			t.Error(err, log)
		}
	})
}

// visit says a line, hears it, and stays until leave is closed.
func visit(addr, line string, leave <-chan struct{}) error {
	c, err := stdnet.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	c.Write([]byte(line))
	got, err := bufio.NewReader(c).ReadString('\n')
	if got != line {
		return errors.Join(err, fmt.Errorf("said %q, heard %q", line, got))
	}
	<-leave
	return nil
}
