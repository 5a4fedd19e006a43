//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package sockets

import (
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Receive and Send make a call for each message: these systems have no common
// call for several.

func (System) Receive(fd int, ms []Message, flags int) (int, syscall.Errno) {
	for i := range ms {
		if errno := receive(fd, &ms[i], flags); errno != 0 {
			return partly(i, errno)
		}
	}
	return len(ms), 0
}

func receive(fd int, m *Message, flags int) syscall.Errno {
	n, nc, got, from, err := unix.Recvmsg(fd, m.Data, m.Control, flags)
	if err != nil {
		return errnoOf(err)
	}
	m.N, m.NControl, m.Flags = n, nc, got
	m.Addr, m.Path = netip.AddrPort{}, ""
	switch from := from.(type) {
	case *unix.SockaddrInet4:
		m.Addr = netip.AddrPortFrom(netip.AddrFrom4(from.Addr), uint16(from.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(from.Addr)
		if from.ZoneId != 0 {
			ip = ip.WithZone(strconv.FormatUint(uint64(from.ZoneId), 10))
		}
		m.Addr = netip.AddrPortFrom(ip, uint16(from.Port))
	case *unix.SockaddrUnix:
		m.Path = from.Name
	}
	return 0
}

func (System) Send(fd int, ms []Message, flags int) (int, syscall.Errno) {
	for i := range ms {
		if errno := send(fd, &ms[i], flags); errno != 0 {
			return partly(i, errno)
		}
	}
	return len(ms), 0
}

func send(fd int, m *Message, flags int) syscall.Errno {
	var n int
	var err error
	if m.Path != "" { // see System.Bind
		n, err = syscall.SendmsgN(fd, m.Data, m.Control, &syscall.SockaddrUnix{Name: m.Path}, flags)
	} else {
		n, err = unix.SendmsgN(fd, m.Data, m.Control, m.sockaddr(), flags)
	}
	if err != nil {
		return errnoOf(err)
	}
	m.N, m.NControl = n, len(m.Control)
	return 0
}

func (m *Message) sockaddr() unix.Sockaddr {
	ip := m.Addr.Addr()
	switch {
	case ip.Is4():
		return &unix.SockaddrInet4{Addr: ip.As4(), Port: int(m.Addr.Port())}
	case ip.Is6():
		zone, _ := strconv.ParseUint(ip.Zone(), 10, 32)
		return &unix.SockaddrInet6{Addr: ip.As16(), Port: int(m.Addr.Port()), ZoneId: uint32(zone)}
	}
	return nil
}

// partly returns the result of a batch that failed after done messages. If some
// have moved, it drops the error: the next call meets it again.
func partly(done int, errno syscall.Errno) (int, syscall.Errno) {
	if done > 0 {
		return done, 0
	}
	return 0, errno
}
