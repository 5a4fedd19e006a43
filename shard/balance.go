package shard

import (
	"hash/maphash"
	"math"
	"slices"

	"github.com/eddyio/eddy/net"
)

// A Balance chooses the shard that a connection goes to, by its peer's address and by how
// many connections of the listener each shard has. It returns the shard's number, or
// a negative number, to refuse the connection. A shard that does not listen has
// [Closed] connections. A Balance is called by a task of one shard, must not suspend, and
// must neither change nor keep conns.
type Balance func(remote net.Addr, conns []int) int

// Closed is the number of connections of a shard that does not listen.
const Closed = math.MaxInt

// LeastConns is a [Balance]: the shard with the fewest connections, the first of several.
func LeastConns(_ net.Addr, conns []int) int { return slices.Index(conns, slices.Min(conns)) }

// ByAddress is a [Balance]: all connections from one IP address go to one shard, while it
// listens. Which one differs from process to process. Without an IP address, as on a Unix
// socket, it is LeastConns.
func ByAddress(remote net.Addr, conns []int) int {
	t, ok := remote.(*net.TCPAddr)
	if !ok {
		return LeastConns(remote, conns)
	}
	i := int(maphash.Comparable(addressSeed, t.AddrPort().Addr().Unmap()) % uint64(len(conns)))
	if conns[i] == Closed {
		return LeastConns(remote, conns)
	}
	return i
}

var addressSeed = maphash.MakeSeed()
