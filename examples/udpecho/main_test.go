package main

import (
	"bytes"
	"errors"
	"fmt"
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

// start runs the program, and returns its port.
func start(t *testing.T, addr string) (p *programs.Server, port string) {
	t.Helper()
	p = programs.Start(t, "-addr", addr)
	_, port, err := net.SplitHostPort(p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return p, port
}

// TestUDPEcho has clients that are connected, and so hear only an answer from the
// address that they asked at. Then it interrupts the program, which must end well.
func TestUDPEcho(t *testing.T) {
	p, port := start(t, ":0")
	hosts := []string{"127.0.0.1", "127.0.0.2", "::1"}
	var clients sync.WaitGroup
	for i := range 30 {
		c, err := net.Dial("udp", net.JoinHostPort(hosts[i%len(hosts)], port))
		if err != nil {
			t.Log("without a client:", err)
			continue
		}
		defer c.Close()
		clients.Go(func() {
			if err := client(c, i); err != nil {
				t.Errorf("client %d of %v: %v", i, c.RemoteAddr(), err)
			}
		})
	}
	clients.Wait()
	p.Interrupt(t)
}

// client has datagrams of several lengths echoed, and sends one again if its
// answer stays away: UDP may lose any.
func client(c net.Conn, i int) error {
	for _, size := range []int{0, 1, 100, 1400, 40000} {
		msg := bytes.Repeat([]byte{byte(i)}, size)
		if err := exchange(c, msg); err != nil {
			return fmt.Errorf("%d bytes: %w", size, err)
		}
	}
	return nil
}

func exchange(c net.Conn, msg []byte) error {
	got := make([]byte, 1<<16)
	for give := time.Now().Add(patience); ; {
		if _, err := c.Write(msg); err != nil {
			return err
		}
		c.SetReadDeadline(time.Now().Add(time.Second))
		n, err := c.Read(got)
		for err == nil && n != len(msg) { // the answer to an earlier attempt
			n, err = c.Read(got)
		}
		switch {
		case err == nil && bytes.Equal(got[:n], msg):
			return nil
		case err == nil:
			return errors.New("the echo differs")
		case !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(give):
			return err
		}
	}
}

func TestErrorsAreTold(t *testing.T) {
	_, port := start(t, "127.0.0.1:0")
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-addr", "127.0.0.1:" + port}, 1, syscall.EADDRINUSE.Error()},
		{[]string{"-addr", "nowhere"}, 1, "missing port"},
		{[]string{"-addr", "127.0.0.1:99999"}, 1, "99999"},
		{[]string{"127.0.0.1:7002"}, 2, `unexpected argument "127.0.0.1:7002"`},
	} {
		out, err := programs.Command(t, test.args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != test.code || !strings.Contains(string(out), test.says) {
			t.Errorf("%q: %v: %s", test.args, err, out)
		}
	}
}
