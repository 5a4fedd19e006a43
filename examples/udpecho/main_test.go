package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
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
	bin = filepath.Join(t.TempDir(), "udpecho")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// start runs the program, and returns its port.
func start(t *testing.T, bin, addr string) (cmd *exec.Cmd, port string) {
	t.Helper()
	cmd = exec.Command(bin, "-addr", addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("the program said %q, %v", line, err)
	}
	_, port, err = net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, port
}

// TestUDPEcho has clients that are connected, and so hear only an answer from the
// address that they asked at. Then it interrupts the program, which must end well.
func TestUDPEcho(t *testing.T) {
	cmd, port := start(t, build(t), ":0")
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
	bin := build(t)
	_, port := start(t, bin, "127.0.0.1:0")
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
		out, err := exec.Command(bin, test.args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != test.code || !strings.Contains(string(out), test.says) {
			t.Errorf("%q: %v: %s", test.args, err, out)
		}
	}
}
