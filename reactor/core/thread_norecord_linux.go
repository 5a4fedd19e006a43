//go:build !coro_nested && (purego || !(amd64 || arm64 || 386))

package core

func threadRecord() uintptr { return 0 }

func threadsHaveRecords() bool { return false }
