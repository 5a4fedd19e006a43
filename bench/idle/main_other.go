//go:build !linux

package main

import "log"

func main() {
	log.Fatal("idle: measuring needs Linux: it pins processes and asks /proc what they used")
}
