//go:build !freebsd && !dragonfly

package process

func limitOf(n int) uint64 { return uint64(n) }
