package net

import (
	"time"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// The defaults for zeros in a KeepAliveConfig, as in std.
const (
	defaultKeepAlive      = 15 * time.Second // idle, and between probes
	defaultKeepAliveCount = 9
)

// keepAliveFor combines the two keep-alive fields of a Dialer or ListenConfig.
// The period applies to idle connections; between probes it is the default, as
// in std.
func keepAliveFor(period time.Duration, config KeepAliveConfig) KeepAliveConfig {
	if config.Enable {
		return config
	}
	return KeepAliveConfig{Enable: period >= 0, Idle: period}
}

func setKeepAlive(sys sockets.Calls, fd int, config KeepAliveConfig) error {
	if err := sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, boolInt(config.Enable)); err != nil {
		return err
	}
	if err := setSeconds(sys, fd, keepAliveIdle, config.Idle); err != nil {
		return err
	}
	if err := setSeconds(sys, fd, keepAliveInterval, config.Interval); err != nil {
		return err
	}
	n := config.Count
	if n == 0 {
		n = defaultKeepAliveCount
	}
	return setTCPInt(sys, fd, keepAliveCount, n)
}

// setSeconds sets a time, rounded up.
func setSeconds(sys sockets.Calls, fd, option int, d time.Duration) error {
	if d == 0 {
		d = defaultKeepAlive
	}
	n := int((d + time.Second - 1) / time.Second)
	if d < 0 {
		n = -1
	}
	return setTCPInt(sys, fd, option, n)
}

// setTCPInt sets an option, unless n is negative. An option of 0 is one that
// the system lacks: it has a setting for the whole machine instead.
func setTCPInt(sys sockets.Calls, fd, option, n int) error {
	switch {
	case n < 0:
		return nil
	case option == 0:
		return unix.ENOPROTOOPT
	}
	return sys.SetInt(fd, unix.IPPROTO_TCP, option, n)
}
