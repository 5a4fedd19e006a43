//go:build !kqueue_model

package sockets

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An mmsghdr is an element of the array that recvmmsg(2) and sendmmsg(2) take.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// A batch holds messages in the kernel's form.
type batch struct {
	hdrs  [maxMessages]mmsghdr
	iovs  [maxMessages]unix.Iovec
	addrs [maxMessages]unix.RawSockaddrAny
}

// maxMessages is the most messages in one call.
const maxMessages = 64

var batches = sync.Pool{New: func() any { return new(batch) }}

func (System) Receive(fd int, ms []Message, flags int) (int, syscall.Errno) {
	b := batches.Get().(*batch)
	ms = ms[:min(len(ms), maxMessages)]
	for i := range ms {
		b.set(i, &ms[i])
		b.hdrs[i].hdr.Name = (*byte)(unsafe.Pointer(&b.addrs[i]))
		b.hdrs[i].hdr.Namelen = uint32(unsafe.Sizeof(b.addrs[i]))
	}
	n, errno := b.call(unix.SYS_RECVMMSG, fd, len(ms), flags)
	for i := range n {
		h, m := &b.hdrs[i], &ms[i]
		m.N, m.NControl, m.Flags = int(h.len), int(h.hdr.Controllen), int(h.hdr.Flags)
		m.take(&b.addrs[i], h.hdr.Namelen)
	}
	b.release(len(ms))
	return n, errno
}

func (System) Send(fd int, ms []Message, flags int) (int, syscall.Errno) {
	b := batches.Get().(*batch)
	ms = ms[:min(len(ms), maxMessages)]
	for i := range ms {
		b.set(i, &ms[i])
		if n := ms[i].put(&b.addrs[i]); n > 0 {
			b.hdrs[i].hdr.Name, b.hdrs[i].hdr.Namelen = (*byte)(unsafe.Pointer(&b.addrs[i])), n
		}
	}
	n, errno := b.call(unix.SYS_SENDMMSG, fd, len(ms), flags)
	for i := range n {
		ms[i].N, ms[i].NControl = int(b.hdrs[i].len), len(ms[i].Control)
	}
	b.release(len(ms))
	return n, errno
}

func (b *batch) set(i int, m *Message) {
	b.iovs[i].Base = unsafe.SliceData(m.Data)
	b.iovs[i].SetLen(len(m.Data))
	h := &b.hdrs[i].hdr
	h.Iov = &b.iovs[i]
	h.SetIovlen(1)
	h.Control = unsafe.SliceData(m.Control)
	h.SetControllen(len(m.Control))
}

// call makes a call that cannot block; see System.Read.
func (b *batch) call(trap uintptr, fd, n, flags int) (int, syscall.Errno) {
	r, _, errno := unix.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&b.hdrs)), uintptr(n), uintptr(flags|unix.MSG_DONTWAIT), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// release returns b to the pool, without pointers to the caller's memory.
func (b *batch) release(n int) {
	clear(b.hdrs[:n])
	clear(b.iovs[:n])
	clear(b.addrs[:n])
	batches.Put(b)
}

// put stores m's address in the kernel's form and returns its length: 0 if m
// has none.
func (m *Message) put(sa *unix.RawSockaddrAny) uint32 {
	ip := m.Addr.Addr()
	switch {
	case m.Path != "":
		return putPath((*unix.RawSockaddrUnix)(unsafe.Pointer(sa)), m.Path)
	case ip.Is4():
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		in.Family, in.Addr = unix.AF_INET, ip.As4()
		binary.BigEndian.PutUint16(portBytes(&in.Port), m.Addr.Port())
		return unix.SizeofSockaddrInet4
	case ip.Is6():
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
		in.Family, in.Addr = unix.AF_INET6, ip.As16()
		binary.BigEndian.PutUint16(portBytes(&in.Port), m.Addr.Port())
		if zone := ip.Zone(); zone != "" {
			id, _ := strconv.ParseUint(zone, 10, 32)
			in.Scope_id = uint32(id)
		}
		return unix.SizeofSockaddrInet6
	}
	return 0
}

// putPath stores a path, which is terminated by a zero byte, or an abstract
// name, which is ended by its length; see unix(7). For a name that does not fit
// it returns a length that the kernel refuses with EINVAL.
func putPath(sa *unix.RawSockaddrUnix, path string) uint32 {
	const offset = uint32(unsafe.Offsetof(sa.Path))
	sa.Family = unix.AF_UNIX
	to := unsafe.Slice((*byte)(unsafe.Pointer(&sa.Path)), len(sa.Path))
	abstract := path[0] == '@' || path[0] == 0
	if len(path) > len(to) || len(path) == len(to) && !abstract {
		return offset + uint32(len(to)) + 1
	}
	n := offset + uint32(copy(to, path))
	if abstract {
		to[0] = 0
		return n
	}
	return n + 1
}

// take sets m's address from the kernel's form, of which n bytes are valid.
func (m *Message) take(sa *unix.RawSockaddrAny, n uint32) {
	m.Addr, m.Path = netip.AddrPort{}, ""
	if n == 0 { // a connected stream's peer
		return
	}
	switch sa.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		m.Addr = netip.AddrPortFrom(netip.AddrFrom4(in.Addr), binary.BigEndian.Uint16(portBytes(&in.Port)))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
		ip := netip.AddrFrom16(in.Addr)
		if in.Scope_id != 0 {
			ip = ip.WithZone(strconv.FormatUint(uint64(in.Scope_id), 10))
		}
		m.Addr = netip.AddrPortFrom(ip, binary.BigEndian.Uint16(portBytes(&in.Port)))
	case unix.AF_UNIX:
		m.Path = takePath((*unix.RawSockaddrUnix)(unsafe.Pointer(sa)), n)
	}
}

func takePath(sa *unix.RawSockaddrUnix, n uint32) string {
	n = min(n, uint32(unsafe.Sizeof(*sa)))
	if n <= uint32(unsafe.Offsetof(sa.Path)) {
		return "" // unnamed
	}
	path := string(unsafe.Slice((*byte)(unsafe.Pointer(&sa.Path)), n-uint32(unsafe.Offsetof(sa.Path))))
	if path[0] == 0 {
		return "@" + path[1:]
	}
	path, _, _ = strings.Cut(path, "\x00")
	return path
}

func portBytes(p *uint16) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), 2) }
