//go:build race

package main

// slow divides the number of seeds, because the race detector is slow.
const slow = 10
