//go:build race

package main

// slow is by how much fewer seeds are run, for the race detector takes its time.
const slow = 10
