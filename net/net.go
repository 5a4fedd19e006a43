package net

import (
	stdnet "net"
	"net/netip"
)

// Names of the standard library's net, so that a program need not import both
// packages.
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

// Well-known IPs. They are slices that are shared with the standard library's
// net: don't modify them.
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

// ErrClosed is wrapped in the error of every operation on a connection or
// listener that is closed, or is closed meanwhile, and of every operation after
// the loop has ended.
var ErrClosed = stdnet.ErrClosed

// DefaultResolver is the standard library's own. Its methods block the calling
// goroutine: in a task, use functions like [LookupHost], or reactor.ToThread.
var DefaultResolver = stdnet.DefaultResolver

// JoinHostPort combines host and port into an address, as the standard
// library's does.
func JoinHostPort(host, port string) string { return stdnet.JoinHostPort(host, port) }

// SplitHostPort splits an address into host and port, as the standard
// library's does.
func SplitHostPort(hostport string) (host, port string, err error) {
	return stdnet.SplitHostPort(hostport)
}

// ParseIP parses an IP address, as the standard library's does. It returns nil
// if s is not valid.
func ParseIP(s string) IP { return stdnet.ParseIP(s) }

// ParseCIDR parses an IP address with the length of its prefix, as the standard
// library's does.
func ParseCIDR(s string) (IP, *IPNet, error) { return stdnet.ParseCIDR(s) }

// ParseMAC parses a hardware address, as the standard library's does.
func ParseMAC(s string) (HardwareAddr, error) { return stdnet.ParseMAC(s) }

// IPv4 returns the IP of four bytes.
func IPv4(a, b, c, d byte) IP { return stdnet.IPv4(a, b, c, d) }

// IPv4Mask returns the IPv4 mask of four bytes.
func IPv4Mask(a, b, c, d byte) IPMask { return stdnet.IPv4Mask(a, b, c, d) }

// CIDRMask returns a mask of ones 1 bits followed by 0 bits, with a total of
// bits.
func CIDRMask(ones, bits int) IPMask { return stdnet.CIDRMask(ones, bits) }

// TCPAddrFromAddrPort converts an AddrPort to a TCPAddr.
func TCPAddrFromAddrPort(a netip.AddrPort) *TCPAddr { return stdnet.TCPAddrFromAddrPort(a) }

// UDPAddrFromAddrPort converts an AddrPort to a UDPAddr.
func UDPAddrFromAddrPort(a netip.AddrPort) *UDPAddr { return stdnet.UDPAddrFromAddrPort(a) }

// ResolveUnixAddr returns the address for a Unix socket's path; it looks
// nothing up.
func ResolveUnixAddr(network, address string) (*UnixAddr, error) {
	return stdnet.ResolveUnixAddr(network, address)
}

// Interfaces returns the machine's network interfaces, as the standard library's
// does: by a few system calls, which do not wait.
func Interfaces() ([]Interface, error) { return stdnet.Interfaces() }

// InterfaceByName returns the interface with a name, as the standard library's
// does.
func InterfaceByName(name string) (*Interface, error) { return stdnet.InterfaceByName(name) }

// InterfaceByIndex returns the interface with an index, as the standard
// library's does.
func InterfaceByIndex(index int) (*Interface, error) { return stdnet.InterfaceByIndex(index) }

// InterfaceAddrs returns the addresses of the machine's interfaces, as the
// standard library's does.
func InterfaceAddrs() ([]Addr, error) { return stdnet.InterfaceAddrs() }
