//go:build linux

package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the CPU time of all present and past threads of a process, as
// counted by the scheduler in nanoseconds: /proc/PID/stat counts ticks of 10
// ms, and /proc/PID/schedstat only the first thread.
func CPUTime(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(cpuClock(pid), &t); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(t.Nano()), nil
}

// cpuClock returns the result of clock_getcpuclockid(3): in
// linux/posix-timers_types.h it is the pid's complement above three bits, with
// the value 2 for CPUCLOCK_SCHED.
func cpuClock(pid int) int32 { return int32(^pid<<3 | 2) }

// Memory returns the anonymous memory of a process that is in RAM, in bytes:
// its heap and stacks, without program text and without the kernel's memory for
// sockets, which is the same for all servers.
func Memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) == 3 && string(f[0]) == "Anonymous:" {
			kb, err := strconv.ParseInt(string(f[1]), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("smaps_rollup of %d has no line for anonymous memory", pid)
}

// RaiseFileLimit raises the limit of file descriptors to the maximum for this
// process, and returns it. Children inherit it.
func RaiseFileLimit() int {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) != nil {
		return 0
	}
	lim.Cur = lim.Max
	unix.Setrlimit(unix.RLIMIT_NOFILE, &lim)
	return int(lim.Cur)
}

// BusyTime returns the time for which the machine's processors have been busy,
// for this process, others, and other guests of the hypervisor; its resolution
// is 10 ms.
func BusyTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var ticks int64
	for i, f := range bytes.Fields(line) { // cpu user nice system idle iowait irq softirq steal; see proc_stat(5)
		if n, err := strconv.ParseInt(string(f), 10, 64); err == nil && i <= 8 && i != 4 && i != 5 {
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
