//go:build linux

package proc

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Processors returns the processors for servers and load: two of those that
// this process may use, or the same one twice if there is only one.
func Processors() (server, load int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return 0, min(1, runtime.NumCPU()-1)
	}
	var usable []int
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			usable = append(usable, cpu)
		}
	}
	return usable[0], usable[min(1, len(usable)-1)]
}

// Machine describes the machine, without its name.
func Machine() string {
	return fmt.Sprintf("%d × %s, %s, Linux %s (TCP %s), %s, %s", runtime.NumCPU(), processor(), memory(), kernel(), congestion(),
		runtime.GOARCH, runtime.Version())
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processors"
}

func memory() string {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return "some memory"
	}
	return fmt.Sprintf("%.0f GiB", float64(info.Totalram)*float64(info.Unit)/(1<<30))
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	release := unix.ByteSliceToString(u.Release[:])
	version, _, _ := strings.Cut(release, "-") // the rest names the builder
	return version
}

// congestion returns the congestion control of the servers' sockets: some use
// timers to send, which costs CPU time.
func congestion() string {
	name, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control")
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(name))
}
