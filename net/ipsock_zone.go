package net

import (
	stdnet "net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// A link-local address has a zone: an interface's name for users, its index for
// the kernel. Translating takes a few system calls, too many for each datagram,
// so results are cached for a minute.

const zonesKept = time.Minute

var zones struct {
	sync.Mutex
	since time.Time
	names map[uint32]string
	ids   map[string]uint32
}

// zoneID and zoneName translate a zone. A zone that is not the name of an
// interface is parsed as a number.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	fresh()
	id, known := zones.ids[zone]
	zones.Unlock()
	if known {
		return id
	}
	if ifi, err := stdnet.InterfaceByName(zone); err == nil {
		id = uint32(ifi.Index)
	} else {
		n, _ := strconv.ParseUint(zone, 10, 32)
		id = uint32(n)
	}
	fresh()
	defer zones.Unlock()
	zones.ids[zone] = id
	return id
}

func zoneName(id uint32) string {
	if id == 0 {
		return ""
	}
	fresh()
	name, known := zones.names[id]
	zones.Unlock()
	if known {
		return name
	}
	if ifi, err := stdnet.InterfaceByIndex(int(id)); err == nil {
		name = ifi.Name
	} else {
		name = strconv.FormatUint(uint64(id), 10)
	}
	fresh()
	defer zones.Unlock()
	zones.names[id] = name
	return name
}

// fresh locks zones, and clears the cache if it is too old or too large.
func fresh() {
	zones.Lock()
	now := time.Now()
	if zones.ids == nil || now.Sub(zones.since) > zonesKept || len(zones.ids) > 1000 {
		zones.since = now
		zones.ids, zones.names = map[string]uint32{}, map[uint32]string{}
	}
}

// named and numbered translate the zone of an address between a
// sockets.Message's form and the user's. Few addresses have one.
func named(a netip.AddrPort) netip.AddrPort {
	if a.Addr().Zone() == "" {
		return a
	}
	id, err := strconv.ParseUint(a.Addr().Zone(), 10, 32)
	if err != nil {
		return a
	}
	return netip.AddrPortFrom(a.Addr().WithZone(zoneName(uint32(id))), a.Port())
}

func numbered(a netip.AddrPort) netip.AddrPort {
	zone := a.Addr().Zone()
	if zone == "" {
		return a
	}
	return netip.AddrPortFrom(a.Addr().WithZone(strconv.FormatUint(uint64(zoneID(zone)), 10)), a.Port())
}
