//go:build linux || freebsd || dragonfly

package shard

// kernelBalances: Linux's SO_REUSEPORT, FreeBSD's SO_REUSEPORT_LB and DragonFly's
// SO_REUSEPORT spread the connections of an address over the sockets that listen there.
const kernelBalances = true
