//go:build linux

package proc

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func shell(t *testing.T, script string) *Server {
	t.Helper()
	s, err := Start(0, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func TestStart(t *testing.T) {
	s := shell(t, "echo listening on 127.0.0.1:7; echo oh dear >&2; exec sleep 100")
	if s.Addr != "127.0.0.1:7" {
		t.Errorf("it listens on %q", s.Addr)
	}
	for end := time.Now().Add(10 * time.Second); !strings.Contains(s.Complaints(), "oh dear"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it complained %q", s.Complaints())
		}
	}
	s.Stop()
	if err := unix.Kill(s.PID, 0); err != unix.ESRCH {
		t.Errorf("after Stop, asking for the process says %v", err)
	}
}

func TestStartFails(t *testing.T) {
	for script, want := range map[string]string{
		"echo hello; exec sleep 100":      `"hello"`,
		"echo no port left >&2; exit 1":   "no port left",
		"printf 'listening on half a li'": "it ended",
	} {
		s, err := Start(0, "/bin/sh", "-c", script)
		if err == nil {
			s.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("starting %q: %v, which does not say %s", script, err, want)
		}
	}
	if _, err := Start(0, "/no/such/program"); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestCollect(t *testing.T) {
	s := shell(t, `trap 'echo collected' USR2; echo listening on x; while :; do sleep 0.01; done`)
	if err := s.Collect(); err != nil {
		t.Error(err)
	}
	other := shell(t, `trap 'echo what' USR2; echo listening on x; while :; do sleep 0.01; done`)
	if err := other.Collect(); err == nil {
		t.Error("a wrong answer was taken")
	}
	deaf := shell(t, "echo listening on x; exec sleep 100")
	if err := deaf.Collect(); err == nil {
		t.Error("a server that died of it has collected its garbage")
	}
}

func TestOnPinsAndUnpins(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	server, load := Processors()
	if server == load {
		t.Skip("there is one processor")
	}
	var both, inside, after unix.CPUSet
	both.Set(server)
	both.Set(load)
	if unix.SchedSetaffinity(0, &both) != nil {
		t.Skip("affinity can't be set here")
	}
	if !On(load, func() { unix.SchedGetaffinity(0, &inside) }) {
		t.Error("it could not be set")
	}
	unix.SchedGetaffinity(0, &after)
	if inside.Count() != 1 || !inside.IsSet(load) || after != both {
		t.Errorf("affinity was %v, %v inside and %v after", both, inside, after)
	}
}

func TestCPUTime(t *testing.T) {
	busy := shell(t, `echo listening on x; while :; do :; done`)
	lazy := shell(t, "echo listening on x; exec sleep 100")
	const want = 50 * time.Millisecond
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		got, err := CPUTime(busy.PID)
		if err != nil {
			t.Fatal(err)
		}
		if got >= want {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("a process that does nothing but compute has taken %v", got)
		}
	}
	if got, err := CPUTime(lazy.PID); err != nil || got > 5*time.Second {
		t.Errorf("a process that sleeps has taken %v, %v", got, err)
	}
	lazy.Stop()
	if _, err := CPUTime(lazy.PID); err == nil {
		t.Error("a process that has ended has CPU time")
	}
}

func TestMemory(t *testing.T) {
	before, err := Memory(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	block, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(block)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	after, err := Memory(os.Getpid())
	if err != nil || after-before < size*9/10 {
		t.Errorf("with %d bytes more, memory went from %d to %d, %v", size, before, after, err)
	}
	if _, err := Memory(1 << 30); err == nil {
		t.Error("nobody has memory")
	}
}

func TestMachine(t *testing.T) {
	m := Machine()
	host, _ := os.Hostname()
	if !strings.Contains(m, runtime.Version()) || (len(host) > 3 && strings.Contains(m, host)) || strings.Contains(m, "?") {
		t.Errorf("the machine is %q", m)
	}
	server, load := Processors()
	if server < 0 || load < server {
		t.Errorf("the processors are %d and %d", server, load)
	}
	if BusyTime() <= 0 || RaiseFileLimit() < 64 {
		t.Error("the machine never worked, or has no files")
	}
}
