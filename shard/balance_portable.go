//go:build darwin || netbsd || openbsd

package shard

// kernelBalances: here one of the sockets that listen at an address gets all connections.
const kernelBalances = false
