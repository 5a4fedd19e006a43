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
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// childEnv is set in a test binary that is to be a server in a process of its own.
const childEnv = "EDDY_NET_TEST_CHILD"

// children are what such a server may be.
var children = map[string]func(){
	"plain": func() { serveConverse(nil) },
	"starved": func() {
		limit := unix.Rlimit{Cur: 64, Max: 64}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			panic(err)
		}
		serveConverse(nil)
	},
	"echo": func() {
		raiseLimit()
		serveConverse(echo)
	},
}

// serveConverse is a server that answers a line: "cpu" with the microseconds that it has
// used, "fds" with the number of its fds, "memory" with the bytes of its own
// that are in memory, others with themselves; "quit" ends it. Given another
// handler, it serves that on a second address.
func serveConverse(second func(context.Context, Conn) error) {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		if second == nil {
			fmt.Println(ln.Addr())
			return Serve(ctx, ln, func(_ context.Context, c Conn) error { return converse(c, ln) })
		}
		ln2, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println(ln.Addr(), ln2.Addr())
		serving := reactor.Go(ctx, func(ctx context.Context) error { return Serve(ctx, ln2, second) })
		err = Serve(ctx, ln, func(_ context.Context, c Conn) error { return converse(c, ln) })
		ln2.Close()
		return errors.Join(err, serving.Wait(ctx))
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// raiseLimit lets the process have as many fds as it may, and returns how many.
func raiseLimit() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	limit.Cur = limit.Max
	unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur)
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
			line = fmt.Sprintln(len(testkit.Holdings().FDs))
		case "memory\n":
			line = fmt.Sprintln(memory())
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

// memory returns how much of the process is in memory, in bytes, garbage aside. It
// is 0 where the system does not tell.
func memory() int64 {
	debug.FreeOSMemory()
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	var kilobytes int64
	fmt.Sscan(rest, &kilobytes)
	return kilobytes << 10
}

// A child is a server in a process of its own.
type child struct {
	control
	cmd    *exec.Cmd
	addr   string
	second string
	log    *logged
}

// spawn starts a child, which the end of the test ends.
func spawn(t *testing.T, kind string) *child {
	t.Helper()
	ch := &child{cmd: exec.Command(os.Args[0], "-test.run=^$"), log: &logged{}}
	ch.cmd.Env = append(os.Environ(), childEnv+"="+kind)
	ch.cmd.Stderr = ch.log
	out, err := ch.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.cmd.Process.Kill(); ch.cmd.Wait() })
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err, ch.log)
	}
	ch.addr, ch.second, _ = strings.Cut(strings.TrimSpace(addr), " ")
	conn, err := stdnet.Dial("tcp", ch.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(3 * patience))
	ch.control = control{conn, bufio.NewReader(conn)}
	return ch
}

// settle waits until the child has no more than n fds.
func (ch *child) settle(t *testing.T, n int) {
	t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		fds := ch.ask(t, "fds")
		if fds <= n {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d fds are open, were %d", fds, n)
		}
	}
}

// quit fails unless the child ends well.
func (ch *child) quit(t *testing.T) {
	t.Helper()
	fmt.Fprintln(ch, "quit")
	within(t, "the child's end", func() {
		if err := ch.cmd.Wait(); err != nil {
			t.Error(err, ch.log)
		}
	})
}

// TestFaultOutOfFDs: 1,000 clients come to a server that can hold some 50, and the
// first of them stay. It must wait without spinning, serve everybody in the end,
// and lose no fd.
func TestFaultOutOfFDs(t *testing.T) {
	testkit.Leaks(t)
	ch := spawn(t, "starved")
	fds := ch.ask(t, "fds")
	leave := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 1000 {
		clients.Go(func() {
			if err := visit(ch.addr, fmt.Sprintln(i, "was here"), leave); err != nil {
				t.Error(err)
			}
		})
	}
	for until := time.Now().Add(patience); !strings.Contains(ch.log.String(), "pauses"); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("never starved; log:", ch.log)
		}
	}
	before := ch.ask(t, "cpu")
	const starved = 500 * time.Millisecond
	time.Sleep(starved) // a span to measure in, nothing to wait for
	used := time.Duration(ch.ask(t, "cpu")-before) * time.Microsecond
	t.Logf("starved, the server used %v in %v", used, starved)
	if used > starved/10 {
		t.Errorf("the starved server used %v in %v", used, starved)
	}
	close(leave)
	within(t, "serving the rest", clients.Wait)
	ch.settle(t, fds)
	if n := strings.Count(ch.log.String(), "pauses"); n > 100 {
		t.Errorf("it was logged %d times", n)
	}
	ch.quit(t)
}

// TestFaultResetByManyPeers: a server lives whose peers reset their connections while
// it reads, while it writes, and before it has accepted them.
func TestFaultResetByManyPeers(t *testing.T) {
	testkit.Leaks(t)
	ch := spawn(t, "plain")
	fds := ch.ask(t, "fds")
	line := strings.Repeat("x", 1000) + "\n"
	for i := range 300 {
		c, err := stdnet.Dial("tcp", ch.addr)
		if err != nil {
			t.Fatal(err)
		}
		c.(*stdnet.TCPConn).SetLinger(0)
		for range i % 3 * 50 { // nothing, some, more
			c.Write([]byte(line))
		}
		c.Close()
	}
	if got := ch.ask(t, "42"); got != 42 {
		t.Error("the server answers", got)
	}
	ch.settle(t, fds)
	if log := ch.log.String(); log != "" {
		t.Error("resets are nothing to speak of, but it said:", log)
	}
	ch.quit(t)
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
