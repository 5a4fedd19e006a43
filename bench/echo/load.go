//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"log"
	stdnet "net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The load generator is an epoll loop too, on one thread: each connection sends a
// burst of messages, and the next when all of it has come back.

type client struct {
	fd   int
	want int // bytes of the burst that have not come back
	sent time.Time
}

type load struct {
	epfd    int
	clients []client
	burst   []byte
	buf     []byte
	count   int64 // bursts that came back
	times   []time.Duration
	slept   time.Duration
}

func loadMain(args []string) {
	runtime.LockOSThread()
	addr, pid := args[0], atoi(args[1])
	s := scenario{conns: atoi(args[2]), size: atoi(args[3]), pipeline: atoi(args[4])}
	s.length, _ = time.ParseDuration(args[5])
	raiseLimit()
	l := &load{burst: make([]byte, s.size*s.pipeline), buf: make([]byte, 1<<20)}
	l.connect(addr, s.conns)
	l.run(s.length / 5) // to warm up
	l.count, l.times, l.slept = 0, l.times[:0], 0
	cpu, start := cpuTime(pid), time.Now()
	l.run(s.length)
	r := result{Messages: l.count * int64(s.pipeline), Seconds: time.Since(start).Seconds(), CPU: (cpuTime(pid) - cpu).Seconds()}
	slices.Sort(l.times)
	if n := len(l.times); n > 0 {
		r.P50, r.P99 = micros(l.times[n/2]), micros(l.times[n*99/100])
	}
	r.Idle = l.slept.Seconds() / r.Seconds
	json.NewEncoder(os.Stdout).Encode(r)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func (l *load) connect(addr string, n int) {
	to, err := stdnet.ResolveTCPAddr("tcp4", addr)
	check(err)
	sa := &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}
	l.epfd, err = unix.EpollCreate1(0)
	check(err)
	for i := range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		check(err)
		check(unix.Connect(fd, sa))
		check(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
		check(unix.SetNonblock(fd, true))
		check(unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}))
		l.clients = append(l.clients, client{fd: fd})
	}
	for i := range l.clients {
		l.send(&l.clients[i])
	}
}

// send starts a burst. Large ones are read back while they are written, or both
// sides' buffers could fill up.
func (l *load) send(c *client) {
	c.want, c.sent = len(l.burst), time.Now()
	for rest := l.burst; len(rest) > 0; {
		n, err := unix.Write(c.fd, rest)
		switch err {
		case nil:
			rest = rest[n:]
		case unix.EAGAIN:
			l.receive(c)
		default:
			check(err)
		}
	}
}

func (l *load) receive(c *client) {
	n, err := unix.Read(c.fd, l.buf)
	if err == unix.EAGAIN {
		return
	}
	check(err)
	if n == 0 {
		log.Fatal("the server closed a connection")
	}
	c.want -= n
}

func (l *load) run(length time.Duration) {
	events := make([]unix.EpollEvent, 1024)
	for start := time.Now(); time.Since(start) < length; {
		n, err := unix.EpollWait(l.epfd, events, 0)
		if n == 0 {
			before := time.Now()
			n, err = unix.EpollWait(l.epfd, events, 100)
			l.slept += time.Since(before)
		}
		if err != unix.EINTR {
			check(err)
		}
		for _, e := range events[:max(0, n)] {
			c := &l.clients[e.Fd]
			if l.receive(c); c.want == 0 {
				l.count++
				l.times = append(l.times, time.Since(c.sent))
				l.send(c)
			}
		}
	}
}

// cpuTime returns the CPU time of a process's threads, from
// /proc/PID/task/*/schedstat, whose first field is nanoseconds on a processor.
func cpuTime(pid int) (sum time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		var ns int64
		fmt.Sscan(string(text), &ns)
		sum += time.Duration(ns)
	}
	return sum
}

func raiseLimit() {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil {
		lim.Cur = lim.Max
		unix.Setrlimit(unix.RLIMIT_NOFILE, &lim)
	}
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
