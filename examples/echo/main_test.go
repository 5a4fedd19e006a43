package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

const patience = testkit.Patience

func build(t *testing.T) (bin string) {
	t.Helper()
	bin = filepath.Join(t.TempDir(), "echo")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// start runs the program, and returns its address.
func start(t *testing.T, bin string) (cmd *exec.Cmd, addr string) {
	t.Helper()
	cmd = exec.Command(bin, "-addr", "127.0.0.1:0", "-peraddr", "1000")
	cmd.Stderr = new(bytes.Buffer)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("the program said %q, %v", line, err)
	}
	return cmd, addr
}

// TestEcho runs 1,000 concurrent clients; some send a megabyte, some close
// their side before they read. Then it interrupts the program, which must exit
// without an error.
func TestEcho(t *testing.T) {
	cmd, addr := start(t, build(t))
	var clients, connected sync.WaitGroup
	connected.Add(1000)
	for i := range 1000 {
		clients.Go(func() {
			if err := client(addr, i, &connected); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	clients.Wait()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error("after an interrupt:", err)
		}
	case <-time.After(patience):
		t.Error("the program goes on after an interrupt")
	}
}

// client waits until all are connected, and checks the echo of a message.
func client(addr string, i int, connected *sync.WaitGroup) error {
	c, err := net.DialTimeout("tcp", addr, patience)
	connected.Done()
	if err != nil {
		return err
	}
	defer c.Close()
	connected.Wait()
	c.SetDeadline(time.Now().Add(patience))
	size := 1 + i
	if i%50 == 0 {
		size = 1 << 20
	}
	msg := bytes.Repeat([]byte(fmt.Sprintf("%04d|", i)), size/5+1)[:size]
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(msg)
		if i%2 == 0 {
			err = errors.Join(err, c.(*net.TCPConn).CloseWrite())
		}
		sent <- err
	}()
	got := make([]byte, size)
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	if !bytes.Equal(got, msg) {
		return errors.New("the echo differs")
	}
	if i%2 == 0 { // after a half-close comes the end
		if n, err := c.Read(got); n != 0 || err != io.EOF {
			return fmt.Errorf("after the half-close: %d, %v", n, err)
		}
	}
	return nil
}

func TestAddressInUse(t *testing.T) {
	bin := build(t)
	_, addr := start(t, bin)
	out, err := exec.Command(bin, "-addr", addr).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), syscall.EADDRINUSE.Error()) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestInterrupts: after an interrupt, connections have their grace time; the
// program reports that, and a second interrupt ends it at once.
func TestInterrupts(t *testing.T) {
	bin := build(t)
	for _, again := range []bool{false, true} {
		cmd, addr := start(t, bin)
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		b := make([]byte, 5)
		say := func() error {
			_, err := c.Write([]byte("hello"))
			if err == nil {
				_, err = io.ReadFull(c, b)
			}
			return err
		}
		if err := say(); err != nil {
			t.Fatal(err)
		}
		cmd.Process.Signal(syscall.SIGTERM)
		for { // until it is interrupted
			late, err := net.Dial("tcp", addr)
			if err != nil {
				break
			}
			late.Close()
		}
		if err := say(); err != nil {
			t.Error("a connection has no grace:", err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if !again {
			c.Close()
		}
		for waiting := true; waiting; {
			if again { // the first may come before the program is ready for it
				cmd.Process.Signal(os.Interrupt)
			}
			select {
			case err = <-ended:
				waiting = false
			case <-time.After(10 * time.Millisecond):
			}
		}
		// The second interrupt may come before it has said anything.
		if log := cmd.Stderr.(*bytes.Buffer).String(); !again && !strings.Contains(log, " connection(s) open") {
			t.Errorf("it said %q", log)
		}
		if status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus); again && (!status.Signaled() || status.Signal() != os.Interrupt) || !again && err != nil {
			t.Errorf("interrupted again: %v; ended with %v", again, err)
		}
	}
}
