//go:build freebsd || dragonfly

package process

func limitOf(n int) int64 { return int64(n) }
