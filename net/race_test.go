//go:build race

package net

const raceEnabled = true // sync.Pool forgets on purpose
