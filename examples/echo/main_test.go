package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/programs"
)

const patience = testkit.Patience

func TestMain(m *testing.M) { programs.Main(m, main) }

func start(t *testing.T) *programs.Server {
	t.Helper()
	return programs.Start(t, "-addr", "127.0.0.1:0", "-peraddr", "1000")
}

// TestEcho runs 1,000 concurrent clients; some send a megabyte, some close
// their side before they read. Then it interrupts the program, which must exit
// without an error.
func TestEcho(t *testing.T) {
	p := start(t)
	var clients, connected sync.WaitGroup
	connected.Add(1000)
	for i := range 1000 {
		clients.Go(func() {
			if err := client(p.Addr, i, &connected); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	clients.Wait()
	p.Interrupt(t)
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
	out, err := programs.Command(t, "-addr", start(t).Addr).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), syscall.EADDRINUSE.Error()) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestInterrupts: after an interrupt, connections have their grace time; the
// program reports that, and a second interrupt ends it at once.
func TestInterrupts(t *testing.T) {
	for _, again := range []bool{false, true} {
		p := start(t)
		c, err := net.Dial("tcp", p.Addr)
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
		p.Process.Signal(syscall.SIGTERM)
		for { // until it is interrupted
			late, err := net.Dial("tcp", p.Addr)
			if err != nil {
				break
			}
			late.Close()
		}
		if err := say(); err != nil {
			t.Error("a connection has no grace:", err)
		}
		if !again {
			c.Close()
		}
		for waiting := true; waiting; {
			if again { // the first may come before the program is ready for it
				p.Process.Signal(os.Interrupt)
			}
			select {
			case <-p.Ended():
				waiting = false
			case <-time.After(10 * time.Millisecond):
			}
		}
		// The second interrupt may come before it has said anything.
		if log := p.Log(); !again && !strings.Contains(log, " connection(s) open") {
			t.Errorf("it said %q", log)
		}
		if status, _ := p.State().Sys().(syscall.WaitStatus); again && (!status.Signaled() || status.Signal() != os.Interrupt) || !again && p.Status() != nil {
			t.Errorf("interrupted again: %v; ended with %v", again, p.Status())
		}
	}
}
