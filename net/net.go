package net

import (
	stdnet "net"
	"net/netip"
)

// What the standard library has, and a program that imports one net needs.
type (
	Addr       = stdnet.Addr
	Conn       = stdnet.Conn
	PacketConn = stdnet.PacketConn
	Listener   = stdnet.Listener

	TCPAddr  = stdnet.TCPAddr
	UDPAddr  = stdnet.UDPAddr
	UnixAddr = stdnet.UnixAddr
	IPAddr   = stdnet.IPAddr

	IP           = stdnet.IP
	IPMask       = stdnet.IPMask
	IPNet        = stdnet.IPNet
	HardwareAddr = stdnet.HardwareAddr

	Interface = stdnet.Interface
	Flags     = stdnet.Flags

	KeepAliveConfig = stdnet.KeepAliveConfig

	Resolver = stdnet.Resolver
	MX       = stdnet.MX
	NS       = stdnet.NS
	SRV      = stdnet.SRV

	Error               = stdnet.Error
	OpError             = stdnet.OpError
	AddrError           = stdnet.AddrError
	InvalidAddrError    = stdnet.InvalidAddrError
	UnknownNetworkError = stdnet.UnknownNetworkError
	ParseError          = stdnet.ParseError
	DNSError            = stdnet.DNSError
	DNSConfigError      = stdnet.DNSConfigError
)

// The lengths of IPs, in bytes.
const (
	IPv4len = stdnet.IPv4len
	IPv6len = stdnet.IPv6len
)

// The Flags of an [Interface].
const (
	FlagUp           = stdnet.FlagUp
	FlagBroadcast    = stdnet.FlagBroadcast
	FlagLoopback     = stdnet.FlagLoopback
	FlagPointToPoint = stdnet.FlagPointToPoint
	FlagMulticast    = stdnet.FlagMulticast
	FlagRunning      = stdnet.FlagRunning
)

// Well-known IPs. They are slices which are shared with the standard library's
// net: don't change them.
var (
	IPv4bcast                  = stdnet.IPv4bcast
	IPv4allsys                 = stdnet.IPv4allsys
	IPv4allrouter              = stdnet.IPv4allrouter
	IPv4zero                   = stdnet.IPv4zero
	IPv6zero                   = stdnet.IPv6zero
	IPv6unspecified            = stdnet.IPv6unspecified
	IPv6loopback               = stdnet.IPv6loopback
	IPv6interfacelocalallnodes = stdnet.IPv6interfacelocalallnodes
	IPv6linklocalallnodes      = stdnet.IPv6linklocalallnodes
	IPv6linklocalallrouters    = stdnet.IPv6linklocalallrouters
)

// ErrClosed is in the error of every operation on a connection or listener
// that is closed, or gets closed meanwhile, and of all once the loop has ended.
var ErrClosed = stdnet.ErrClosed

// DefaultResolver is the standard library's own. Its methods block the calling
// goroutine: a task calls functions like [LookupHost], or reactor.ToThread.
var DefaultResolver = stdnet.DefaultResolver

// JoinHostPort combines host and port into an address, as the standard
// library's does.
func JoinHostPort(host, port string) string { return stdnet.JoinHostPort(host, port) }

// SplitHostPort splits an address into host and port, as the standard
// library's does.
func SplitHostPort(hostport string) (host, port string, err error) {
	return stdnet.SplitHostPort(hostport)
}

// ParseIP parses an IP address, as the standard library's does. nil is none.
func ParseIP(s string) IP { return stdnet.ParseIP(s) }

// ParseCIDR parses an IP address with the length of its prefix, as the standard
// library's does.
func ParseCIDR(s string) (IP, *IPNet, error) { return stdnet.ParseCIDR(s) }

// ParseMAC parses a hardware address, as the standard library's does.
func ParseMAC(s string) (HardwareAddr, error) { return stdnet.ParseMAC(s) }

// IPv4 makes an IP of its four bytes.
func IPv4(a, b, c, d byte) IP { return stdnet.IPv4(a, b, c, d) }

// IPv4Mask makes an IPv4 mask of its four bytes.
func IPv4Mask(a, b, c, d byte) IPMask { return stdnet.IPv4Mask(a, b, c, d) }

// CIDRMask makes a mask of ones one bits, then zeros, up to a total of bits.
func CIDRMask(ones, bits int) IPMask { return stdnet.CIDRMask(ones, bits) }

// TCPAddrFromAddrPort makes a TCPAddr of an AddrPort.
func TCPAddrFromAddrPort(a netip.AddrPort) *TCPAddr { return stdnet.TCPAddrFromAddrPort(a) }

// UDPAddrFromAddrPort makes a UDPAddr of an AddrPort.
func UDPAddrFromAddrPort(a netip.AddrPort) *UDPAddr { return stdnet.UDPAddrFromAddrPort(a) }

// ResolveUnixAddr makes an address of a Unix socket's path; it looks up nothing.
func ResolveUnixAddr(network, address string) (*UnixAddr, error) {
	return stdnet.ResolveUnixAddr(network, address)
}

// Interfaces returns the machine's network interfaces, as the standard library's
// does: by a few system calls, which do not wait.
func Interfaces() ([]Interface, error) { return stdnet.Interfaces() }

// InterfaceByName returns the interface of a name, as the standard library's does.
func InterfaceByName(name string) (*Interface, error) { return stdnet.InterfaceByName(name) }

// InterfaceByIndex returns the interface of a number, as the standard library's
// does.
func InterfaceByIndex(index int) (*Interface, error) { return stdnet.InterfaceByIndex(index) }

// InterfaceAddrs returns the addresses of the machine's interfaces, as the
// standard library's does.
func InterfaceAddrs() ([]Addr, error) { return stdnet.InterfaceAddrs() }
